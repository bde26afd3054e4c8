import {
  to = terraform_data.adopted
  id = "imported-id"
}

import {
  to = terraform_data.adopted_and_changed
  id = "other-id"
}

resource "terraform_data" "adopted" {}

resource "terraform_data" "adopted_and_changed" {
  input = "new"
}
