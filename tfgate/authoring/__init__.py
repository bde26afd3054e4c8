"""Writing rules: new, test, mutate, lint, docs, explain, the language server, the first steps."""
