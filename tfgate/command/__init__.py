"""The gate's own commands, and what all commands are made of: options, output, progress."""
