resource "aws_security_group" "open" {
  name = "# tfgate:waive F-OPEN reason=so expires=2099-12-31 owner=team"
}
