variable "size" {
  type = string
}

resource "terraform_data" "a" {
  input = { size = var.size, keep = "same", tags = [var.size, "x"] }
}

resource "terraform_data" "b" {
  input = terraform_data.a.output
}

output "size" {
  value = var.size
}

output "same" {
  value = "same"
}
