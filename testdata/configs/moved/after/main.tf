resource "terraform_data" "new_name" {
  input = "same"
}

resource "terraform_data" "single" {
  for_each = toset(["main"])
  input    = "after"
}

module "one" {
  source = "./modules/one"
}

resource "terraform_data" "replaced_and_moved" {
  triggers_replace = 2
}

moved {
  from = terraform_data.old_name
  to   = terraform_data.new_name
}

moved {
  from = terraform_data.single
  to   = terraform_data.single["main"]
}

moved {
  from = terraform_data.outside
  to   = module.one.terraform_data.inside
}

moved {
  from = terraform_data.replaced
  to   = terraform_data.replaced_and_moved
}
