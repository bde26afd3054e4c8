variable "target" {
  type = string
}

resource "terraform_data" "inside" {
  input = var.target
}

output "id" {
  value = terraform_data.inside.id
}
