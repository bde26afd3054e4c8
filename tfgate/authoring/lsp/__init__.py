"""What an editor shows while a rule is written: diagnostics, hover, completion."""
