variable "password" {
  type      = string
  sensitive = true
}

resource "terraform_data" "inner" {
  input = { password = var.password }
}
