variable "name" {
  type = string
}

variable "shared" {
  type = string
}

resource "terraform_data" "zone" {
  for_each = toset(["a", "b"])
  input    = { name = "${var.name}${each.key}", shared = var.shared }
}

output "id" {
  value = terraform_data.zone["a"].id
}
