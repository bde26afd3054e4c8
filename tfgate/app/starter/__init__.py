"""``tfgate init``: a configuration, a first ruleset and the CI's part, to begin with."""
