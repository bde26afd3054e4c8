resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_security_group" "app" {
  name   = "app"
  vpc_id = aws_vpc.main.id
  ingress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8"]
  }
}

resource "aws_s3_bucket" "data" {
  bucket = "acme-drift"
}

resource "aws_sqs_queue" "gone" {
  name = "gone"
}

output "group" {
  value = aws_security_group.app.ingress
}
