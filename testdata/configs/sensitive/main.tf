variable "password" {
  type      = string
  sensitive = true
}

variable "settings" {
  type      = map(string)
  sensitive = true
  default   = { user = "SENSITIVE-CANARY-user" }
}

resource "terraform_data" "whole" {
  input = var.password
}

resource "terraform_data" "nested" {
  input = {
    user     = "public"
    password = var.password
    list     = ["public", var.password]
  }
}

resource "terraform_data" "derived" {
  input = "postgres://app:${var.password}@db.example/app"
}

resource "terraform_data" "map" {
  input = var.settings
}

module "inner" {
  source   = "./modules/inner"
  password = var.password
}

output "password" {
  value     = var.password
  sensitive = true
}

output "unmarked" {
  value = nonsensitive(length(var.password))
}
