resource "terraform_data" "forgotten" {
  input = "kept alive outside Terraform"
}

resource "terraform_data" "destroyed" {}

resource "terraform_data" "stays" {}
