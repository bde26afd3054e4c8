# One service of the shop.

variable "name" {
  type = string
}

variable "replicas" {
  type = number
}

variable "database_id" {
  type = string
}

variable "registry_token" {
  type      = string
  sensitive = true
}

resource "terraform_data" "this" {
  input = {
    name           = var.name
    replicas       = var.replicas
    database_id    = var.database_id
    registry_token = var.registry_token
  }
}

output "id" {
  value = terraform_data.this.id
}
