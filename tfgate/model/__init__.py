"""Frozen value types: what the rooms hand each other. No I/O, no logic beyond derivation."""
