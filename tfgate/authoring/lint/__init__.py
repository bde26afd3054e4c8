"""Lint: what is wrong with a rule although it loads, reported before any plan is evaluated."""
