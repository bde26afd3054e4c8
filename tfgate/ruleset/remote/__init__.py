"""Rulesets in git: named by URL, path and ref, pinned by ``tfgate.lock``, kept in a cache."""
