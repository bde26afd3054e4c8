variable "name" {
  type = string
}

variable "shared" {
  type = string
}

module "zone" {
  source = "../zone"
  count  = 2

  name   = "${var.name}-${count.index}"
  shared = var.shared
}

resource "terraform_data" "region" {
  input = { zones = module.zone[*].id, name = var.name }
}

output "zones" {
  value = module.zone[*].id
}
