resource "terraform_data" "counted" {
  count = 1
}

resource "terraform_data" "keyed" {
  for_each = toset(["kept"])
}
