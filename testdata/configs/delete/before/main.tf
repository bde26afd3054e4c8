resource "terraform_data" "block" {}

resource "terraform_data" "counted" {
  count = 3
}

resource "terraform_data" "keyed" {
  for_each = toset(["kept", "gone"])
}

module "gone" {
  source = "./modules/one"
}
