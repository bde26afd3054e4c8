output "changes" {
  value = "old"
}

output "goes" {
  value = ["a"]
}

output "stays" {
  value = { a = 1 }
}

output "other_type" {
  value = "1"
}

output "hidden_later" {
  value = "SENSITIVE-CANARY-output"
}
