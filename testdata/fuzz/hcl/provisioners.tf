variable "password" {
  type      = string
  sensitive = true
}

resource "terraform_data" "a" {
  provisioner "local-exec" {
    command     = "echo ${self.id}"
    environment = { PASSWORD = var.password, LITERAL = "SENSITIVE-CANARY-literal" }
  }

  provisioner "remote-exec" {
    inline = ["true"]
    connection {
      host     = "host.example"
      password = var.password
    }
  }

  provisioner "file" {
    content     = "text"
    destination = "/etc/motd"
    connection {
      host     = "host.example"
      password = "SENSITIVE-CANARY-connection"
    }
  }

  provisioner "local-exec" {
    when       = destroy
    on_failure = continue
    command    = "true"
  }
}
