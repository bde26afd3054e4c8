# tfgate:waive S-1 expires=2027-01-01 owner=a@tfgate.example reason="known to all"
resource "aws_s3_bucket" "a" {
  bucket = "x-${var.env}" # tfgate:waive S-2,S-3 expires=2027-01-01 owner=b reason="so"
  tags   = { Name = "a", "q-r" = join(",", [for k, v in var.m : "${k}=${v}" if v != null]) }
  policy = <<-EOT
    { "Statement": [${jsonencode(local.s)}] } %{ if var.x }y%{ endif }
  EOT
  /* checkov:skip=CKV_AWS_18:logs are elsewhere */
  dynamic "ingress" {
    for_each = toset(["a"])
    content { from_port = 1 }
  }
}
#tfsec:ignore:aws-s3-enable-versioning:exp:2027-01-01 trivy:ignore:AVD-AWS-0001
module "net" {
  source = "./inner"
  count  = 2
}
// tfgate:waive *
data "aws_ami" "a" { owners = [] }
output "o" { value = try(module.net[0].x, null)... }
