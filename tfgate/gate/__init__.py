"""The gate: gather the inputs, evaluate, record the decision, apply what was evaluated.

It knows no feature and no command line.
"""
