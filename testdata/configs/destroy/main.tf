resource "terraform_data" "a" {
  count = 3
}

module "one" {
  source = "./modules/one"
}

output "ids" {
  value = terraform_data.a[*].id
}
