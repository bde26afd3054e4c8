resource "terraform_data" "wanted" {
  input = terraform_data.needed.id
}

resource "terraform_data" "needed" {}

resource "terraform_data" "left_out" {}
