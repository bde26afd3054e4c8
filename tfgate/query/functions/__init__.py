"""Functions: the registry, the 26 of the JMESPath standard, and the pure ones tfgate adds."""
