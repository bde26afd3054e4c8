resource "terraform_data" "old_name" {
  input = "same"
}

resource "terraform_data" "single" {
  input = "before"
}

resource "terraform_data" "outside" {}

resource "terraform_data" "replaced" {
  triggers_replace = 1
}
