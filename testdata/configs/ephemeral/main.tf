variable "token" {
  type      = string
  ephemeral = true
}

module "inner" {
  source = "./modules/inner"
  token  = var.token
}

resource "terraform_data" "a" {
  input = "plain"
  provisioner "local-exec" {
    command     = "true"
    environment = { TOKEN = var.token }
  }
}
