"""Compiled nodes: nested closures, one module for each family of JMESPath constructs."""
