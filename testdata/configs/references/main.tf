locals {
  id = terraform_data.target["a"].id
}

resource "terraform_data" "target" {
  for_each = toset(["a", "b"])
}

resource "terraform_data" "by_key" {
  input = terraform_data.target["a"].id
}

resource "terraform_data" "by_each_key" {
  for_each = toset(["a", "b"])
  input    = terraform_data.target[each.key].id
}

resource "terraform_data" "by_local" {
  input = local.id
}

resource "terraform_data" "by_template" {
  input = "id-${terraform_data.target["b"].id}"
}

resource "terraform_data" "by_loop" {
  input = [for target in terraform_data.target : target.id]
}

resource "terraform_data" "by_depends_on" {
  depends_on = [terraform_data.target]
}

module "one" {
  source = "./modules/one"
  target = terraform_data.target["a"].id
}

resource "terraform_data" "by_module_output" {
  input = module.one.id
}
