variable "generation" {
  type = number
}

variable "broken" {
  type    = bool
  default = false
}

resource "terraform_data" "a" {
  triggers_replace = var.generation

  lifecycle {
    create_before_destroy = true
  }

  provisioner "local-exec" {
    command = var.broken ? "false" : "true"
  }
}
