resource "terraform_data" "counted" {
  count = 2
  input = count.index
}

resource "terraform_data" "keyed" {
  for_each = {
    plain            = 1
    "dotted.key"     = 2
    "bracket[0]"     = 3
    "quote\"d"       = 4
    "ünïcode →"      = 5
    "$${not}.%%{tf}" = 6
    "back\\slash"    = 7
    "0"              = 8
  }
  input = each.value
}
