module "region" {
  source   = "./modules/region"
  for_each = toset(["eu-west-1", "us.east"])

  name   = each.key
  shared = terraform_data.shared.id
}

resource "terraform_data" "shared" {}

output "zones" {
  value = { for name, region in module.region : name => region.zones }
}
