resource "terraform_data" "values" {
  input = {
    text    = "plain"
    number  = 1.5
    large   = 9007199254740993
    truth   = true
    nothing = null
    list    = ["a", 1, null]
    object  = { "key with spaces" = "ü → \"quoted\"", empty_list = [], empty_object = {} }
  }
}

# One element of the list and one attribute of the object are known only after the apply.
resource "terraform_data" "partly_unknown" {
  input = {
    list   = ["known", terraform_data.values.id, "known too"]
    object = { id = terraform_data.values.id, name = "known" }
    text   = "prefix-${terraform_data.values.id}"
  }
}

resource "terraform_data" "wholly_unknown" {
  input            = terraform_data.values.output
  triggers_replace = terraform_data.partly_unknown.id
}

output "id" {
  value = terraform_data.values.id
}
