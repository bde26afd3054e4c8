"""Whole configurations: what is said of a plan must hold once Terraform has made it known."""
