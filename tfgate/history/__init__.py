"""How rules came to be what they are, and what a change of rules does."""
