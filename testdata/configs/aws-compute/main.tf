provider "aws" {
  alias                       = "west"
  region                      = "us-west-2"
  access_key                  = "SENSITIVE-CANARY-access-key"
  secret_key                  = "SENSITIVE-CANARY-secret-key"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true

  default_tags {
    tags = { owner = "team-web", environment = "test" }
  }
}

locals {
  sizes = { small = "t3.micro", huge = "m5.24xlarge" }
}

resource "aws_instance" "app" {
  for_each = local.sizes

  ami                         = "ami-00000000000000001"
  instance_type               = each.value
  associate_public_ip_address = each.key == "huge"
  user_data                   = "#!/bin/sh\nexport TOKEN=SENSITIVE-CANARY-user-data\n"

  metadata_options {
    http_tokens = each.key == "huge" ? "optional" : "required"
  }

  root_block_device {
    encrypted = each.key == "small"
  }
}

resource "aws_instance" "west" {
  provider      = aws.west
  ami           = "ami-00000000000000002"
  instance_type = "t3.micro"
  tags          = { name = "west" }
}

resource "aws_launch_template" "web" {
  name_prefix   = "web-"
  image_id      = "ami-00000000000000001"
  instance_type = "t3.micro"
}

resource "aws_autoscaling_group" "web" {
  availability_zones = ["eu-west-1a"]
  min_size           = 1
  max_size           = 3

  launch_template {
    id      = aws_launch_template.web.id
    version = "$Latest"
  }

  lifecycle {
    create_before_destroy = true
    ignore_changes        = [desired_capacity]
  }
}

resource "aws_lb" "web" {
  name     = "web"
  internal = false
  subnets  = ["subnet-00000001", "subnet-00000002"]
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.web.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = "fixed-response"
    fixed_response {
      content_type = "text/plain"
      status_code  = "200"
    }
  }
}

resource "aws_cloudwatch_log_group" "web" {
  name = "/web"
}
