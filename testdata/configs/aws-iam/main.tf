data "aws_iam_policy_document" "wildcard" {
  statement {
    sid       = "Everything"
    actions   = ["*"]
    resources = ["*"]
  }
}

data "aws_iam_policy_document" "narrow" {
  statement {
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::acme-good/*"]
  }
}

# Waits for the apply, because the queue's ARN does.
data "aws_iam_policy_document" "later" {
  statement {
    actions   = ["sqs:*"]
    resources = [aws_sqs_queue.jobs.arn]
  }
}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

resource "aws_sqs_queue" "jobs" {
  name = "jobs"
}

resource "aws_iam_role" "app" {
  name               = "app"
  assume_role_policy = data.aws_iam_policy_document.assume.json
}

resource "aws_iam_role" "anyone" {
  name = "anyone"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = {
      Effect    = "Allow"
      Principal = { AWS = "*" }
      Action    = "sts:AssumeRole"
    }
  })
}

resource "aws_iam_policy" "wildcard_document" {
  name   = "wildcard-document"
  policy = data.aws_iam_policy_document.wildcard.json
}

resource "aws_iam_policy" "wildcard_single" {
  name = "wildcard-single"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = { Effect = "Allow", Action = "*", Resource = "*" }
  })
}

resource "aws_iam_policy" "wildcard_in_list" {
  name = "wildcard-in-list"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Deny", Action = "*", Resource = "*" },
      { Effect = "Allow", Action = ["s3:GetObject", "*"], Resource = ["*"] },
    ]
  })
}

resource "aws_iam_policy" "narrow" {
  name   = "narrow"
  policy = data.aws_iam_policy_document.narrow.json
}

resource "aws_iam_policy" "unknown" {
  name   = "unknown"
  policy = data.aws_iam_policy_document.later.json
}

resource "aws_iam_role_policy" "inline" {
  name   = "inline"
  role   = aws_iam_role.app.id
  policy = data.aws_iam_policy_document.wildcard.json
}

resource "aws_iam_role_policy_attachment" "admin" {
  role       = aws_iam_role.app.name
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}

resource "aws_iam_user" "robot" {
  name = "robot"
}

resource "aws_iam_access_key" "robot" {
  user = aws_iam_user.robot.name
}
