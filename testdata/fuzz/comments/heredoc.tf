resource "aws_security_group" "open" {
  name = <<E
# tfgate:waive F-OPEN reason="so it is" expires=2099-12-31 owner=team
E
}
