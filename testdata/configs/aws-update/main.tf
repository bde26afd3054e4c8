variable "engine_name" {
  type = string
}

variable "zone" {
  type = string
}

variable "open" {
  type = string
}

resource "aws_s3_bucket" "data" {
  bucket = "acme-${var.engine_name}"
}

resource "aws_dynamodb_table" "orders" {
  name         = var.engine_name
  hash_key     = "id"
  billing_mode = "PAY_PER_REQUEST"
  attribute {
    name = "id"
    type = "S"
  }
}

resource "aws_ebs_volume" "disk" {
  availability_zone = var.zone
  size              = 10
}

resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_security_group" "app" {
  name   = "app"
  vpc_id = aws_vpc.main.id
  ingress {
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = [var.open]
  }
}

resource "aws_kms_key" "key" {
  enable_key_rotation = var.open == "10.0.0.0/8"
}
