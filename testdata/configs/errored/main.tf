variable "replicas" {
  type    = number
  default = 1
}

resource "terraform_data" "planned" {}

resource "terraform_data" "fails" {
  depends_on = [terraform_data.planned]
  lifecycle {
    precondition {
      condition     = var.replicas > 1
      error_message = "There is no standby."
    }
  }
}
