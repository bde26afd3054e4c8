data "terraform_remote_state" "now" {
  backend = "local"
  config  = { path = "terraform.tfstate" }
}

data "terraform_remote_state" "later" {
  backend    = "local"
  config     = { path = "terraform.tfstate" }
  depends_on = [terraform_data.first]
}

resource "terraform_data" "first" {
  input = data.terraform_remote_state.now.outputs
}

resource "terraform_data" "second" {
  input = data.terraform_remote_state.later.outputs
}
