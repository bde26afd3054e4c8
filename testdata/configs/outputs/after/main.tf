output "changes" {
  value = "new"
}

output "appears" {
  value = null
}

output "stays" {
  value = { a = 1 }
}

output "other_type" {
  value = [1]
}

output "hidden_later" {
  value     = "SENSITIVE-CANARY-output"
  sensitive = true
}
