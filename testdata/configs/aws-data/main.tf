variable "password" {
  type      = string
  sensitive = true
  default   = "SENSITIVE-CANARY-db"
}

resource "aws_kms_key" "good" {
  description         = "Rotated"
  enable_key_rotation = true
}

resource "aws_kms_key" "no_rotation" {
  description             = "Not rotated"
  deletion_window_in_days = 7
}

resource "aws_db_instance" "bad" {
  identifier          = "bad"
  engine              = "postgres"
  instance_class      = "db.t3.micro"
  allocated_storage   = 20
  username            = "app"
  password            = var.password
  publicly_accessible = true
  skip_final_snapshot = true
}

resource "aws_db_instance" "good" {
  identifier                = "good"
  engine                    = "postgres"
  instance_class            = "db.r6g.large"
  allocated_storage         = 100
  username                  = "app"
  password_wo               = "SENSITIVE-CANARY-write-only"
  password_wo_version       = 1
  storage_encrypted         = true
  kms_key_id                = aws_kms_key.good.arn
  multi_az                  = true
  deletion_protection       = true
  backup_retention_period   = 14
  final_snapshot_identifier = "good-final"
}

resource "aws_ebs_volume" "bad" {
  availability_zone = "eu-west-1a"
  size              = 10
}

resource "aws_ebs_volume" "good" {
  availability_zone = "eu-west-1a"
  size              = 10
  encrypted         = true
  kms_key_id        = aws_kms_key.good.arn
}

resource "aws_dynamodb_table" "locks" {
  name         = "locks"
  hash_key     = "id"
  billing_mode = "PAY_PER_REQUEST"
  attribute {
    name = "id"
    type = "S"
  }
}

resource "aws_secretsmanager_secret" "api" {
  name = "api"
}

resource "aws_secretsmanager_secret_version" "api" {
  secret_id     = aws_secretsmanager_secret.api.id
  secret_string = "SENSITIVE-CANARY-secret-string"
}

resource "aws_ssm_parameter" "token" {
  name  = "/app/token"
  type  = "SecureString"
  value = "SENSITIVE-CANARY-parameter"
}

resource "aws_sqs_queue" "plain" {
  name                    = "plain"
  sqs_managed_sse_enabled = false
}

output "password" {
  value     = var.password
  sensitive = true
}
