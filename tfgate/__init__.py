"""tfgate: judges a Terraform plan, records the decision, and stops the apply."""
