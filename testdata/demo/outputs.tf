output "database_id" {
  description = "What the database is called by other configurations."
  value       = terraform_data.database.id
}

# (3) The name says that this is a secret, and nothing marks it as one: it stands in plain text in
#     every plan and log. The cure is `sensitive = true`.
output "database_password" {
  description = "Password of the shop's database user."
  value       = var.database_password
}

output "services" {
  description = "Every service's own id."
  value       = { for name, service in module.service : name => service.id }
}
