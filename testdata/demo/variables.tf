variable "services" {
  description = "Services of the shop, and how many copies of each run."
  type        = map(number)
  default = {
    web    = 3
    worker = 2
  }
}

variable "database_replicas" {
  description = "Copies of the database, the first one included."
  type        = number
  default     = 1
}

variable "database_password" {
  description = "Password of the shop's database user."
  type        = string
  default     = "not-a-real-password"
}

# Marked as sensitive: rules may look at it, but its value is never printed, logged or recorded.
variable "registry_token" {
  description = "Token that pulls the services' images."
  type        = string
  default     = "not-a-real-token"
  sensitive   = true
}
