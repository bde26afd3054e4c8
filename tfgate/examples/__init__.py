"""Examples that rules carry: each becomes a plan, and the rule is evaluated on it."""
