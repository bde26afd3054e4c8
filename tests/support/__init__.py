"""What several rooms' tests share: factories and small fakes."""
