output "shared" {
  value = "from the other state"
}
