"""The configuration and the first ruleset that ``tfgate init`` writes."""

from __future__ import annotations

CONFIG = """\
# Which rules judge the plans of this directory. `tfgate config` prints what is in force, and why;
# every key is described in docs/reference/configuration.md.

[gate]
rulesets = [{rulesets}]

# What is decided is on record in this file (default: in your home directory).
# [audit]
# log = "/var/lib/tfgate/audit.jsonl"

# The level of single rules: advisory, soft-mandatory, hard-mandatory.
# [levels]
# "CORE-DEL-*" = "hard-mandatory"
"""

RULESET = """\
[ruleset]
id = "{name}"
version = "0.1.0"
title = "Rules of {name}"
owners = ["{owner}"]

[params.most_deletions]
type = "number"
default = 10
description = "Deletions and replacements that one apply may make"
"""

RULE = """\
# One rule a file: its git log is its history. `tfgate rules test` runs the examples below.
id = "{prefix}-001"
title = "An apply deletes little"
severity = "high"
enforcement = "soft-mandatory"
scope = "plan"
deny = "sum([counts.delete, counts.replace]) > param('most_deletions')"
message = "{{counts.delete}} deletions and {{counts.replace}} replacements"
remediation = "Apply in parts, or raise most_deletions in tfgate.toml with a reason."

[[tests]]
name = "eleven deletions fail"
changes = [{{ type = "aws_instance", actions = ["delete"], before = {{ ami = "a" }}, repeat = 11 }}]
expect = "fail"
message = "11 deletions and 0 replacements"

[[tests]]
name = "one deletion passes"
changes = [{{ type = "aws_instance", actions = ["delete"], before = {{ ami = "a" }} }}]
expect = "pass"
"""

SERVER_CONFIG = """\
# Configuration of the gate on an Atlantis server. It, ./policy and the trail belong on the server,
# outside of Atlantis's data directory: tfgate refuses them in a checkout.

[gate]
rulesets = [{rulesets}]
comment_waivers = []            # a pull request may not waive by a comment

[audit]
log = "/var/lib/tfgate/audit.jsonl"
"""
