"""Faults: what every command does when the system does not do what it is asked."""
