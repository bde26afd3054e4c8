variable "replicas" {
  type = number
  validation {
    condition     = var.replicas > 0
    error_message = "At least one."
  }
}

resource "terraform_data" "a" {
  input = var.replicas
  lifecycle {
    precondition {
      condition     = var.replicas < 10
      error_message = "Too many."
    }
    postcondition {
      condition     = self.id != ""
      error_message = "No id."
    }
  }
}

check "passes" {
  assert {
    condition     = var.replicas == 1
    error_message = "One is expected."
  }
}

check "fails" {
  assert {
    condition     = var.replicas >= 2
    error_message = "There is no standby."
  }
  assert {
    condition     = var.replicas >= 3
    error_message = "There are fewer than three."
  }
}

check "undecided" {
  assert {
    condition     = terraform_data.a.id != "x"
    error_message = "The id is x."
  }
}

check "broken" {
  data "terraform_remote_state" "missing" {
    backend = "local"
    config  = { path = "missing.tfstate" }
  }
  assert {
    condition     = data.terraform_remote_state.missing.outputs.x == 1
    error_message = "It is not one."
  }
}

output "with_precondition" {
  value = var.replicas
  precondition {
    condition     = var.replicas > 0
    error_message = "None."
  }
}
