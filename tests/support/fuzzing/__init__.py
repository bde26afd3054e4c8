"""Fuzzing: targets that take any bytes, mutations of kept inputs, and the corpus of these."""
