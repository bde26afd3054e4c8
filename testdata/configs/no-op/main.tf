resource "terraform_data" "a" {
  input = "same"
}

output "a" {
  value = terraform_data.a.output
}
