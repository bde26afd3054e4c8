variable "value" {
  type = string
}

resource "terraform_data" "a" {
  input = var.value
}

output "value" {
  value = var.value
}
