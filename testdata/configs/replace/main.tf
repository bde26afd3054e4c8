variable "generation" {
  type = string
}

resource "terraform_data" "destroy_first" {
  triggers_replace = var.generation
}

resource "terraform_data" "create_first" {
  triggers_replace = var.generation
  lifecycle {
    create_before_destroy = true
  }
}

resource "terraform_data" "follows" {
  lifecycle {
    replace_triggered_by = [terraform_data.destroy_first.id]
  }
}

resource "terraform_data" "tainted" {}

resource "terraform_data" "asked_for" {}
