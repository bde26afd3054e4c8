"""HCL sources: blocks with positions, waiver comments, module directories."""
