# A small shop, made of Terraform's built-in `terraform_data` only, so that it can be planned
# without a cloud account, a provider to download or a network. Read `terraform_data` as "server"
# or "database": the gate looks at the plan, and a plan of these has all that a real one has.
#
# Three things here would not pass a careful review, and tfgate's core rules find all three. They
# are marked with (1), (2) and (3). Everything else is as it should be.

terraform {
  required_version = ">= 1.5"
}

# Two services from one module. The module is local, so there is no version to pin.
module "service" {
  source   = "./modules/service"
  for_each = var.services

  name           = each.key
  replicas       = each.value
  database_id    = terraform_data.database.id # known only after the apply
  registry_token = var.registry_token
}

resource "terraform_data" "database" {
  input = {
    engine   = "postgres"
    version  = "16"
    replicas = var.database_replicas
  }

  # (1) A provisioner runs a program on the machine that applies. No plan can show what it will
  #     do, and it is not run again when the program changes.
  provisioner "local-exec" {
    command = "echo seeding the database"
  }
}

# (2) Terraform evaluates this while it plans. It fails, because there is one replica, but a failed
#     check is only a warning to Terraform: the apply would go on.
check "database_survives_a_failure" {
  assert {
    condition     = var.database_replicas >= 2
    error_message = "The database has no standby."
  }
}

# This one cannot be decided yet: the id is known only after the apply. It is neither passed nor
# failed, and no rule takes it for either. (See SHOP-002 in shop.toml for a rule of that kind.)
check "database_is_registered" {
  assert {
    condition     = terraform_data.database.id != "unregistered"
    error_message = "The database has no identity."
  }
}
