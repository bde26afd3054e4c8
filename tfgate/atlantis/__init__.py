"""Atlantis: a step of its workflows, and what in its settings lets plans through."""
