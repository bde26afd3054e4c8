"""A small ruleset in a folder, for tests of the rule author's tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = """\
[ruleset]
id = "acme"
version = "1.0.0"
title = "Acme"
owners = ["security@acme.example"]

[params.allowed]
type = "list(string)"
default = ["t3.micro"]
description = "Instance types that may be started"
"""
RULE = """\
id = "ACME-EC2-001"
title = "Instances are of an allowed type"
severity = "medium"
enforcement = "soft-mandatory"
match = { types = ["aws_instance"] }
require = "contains($params.allowed, after.instance_type)"
message = "{address} uses {after.instance_type}"
remediation = "Pick an allowed type."
controls = { soc2 = ["CC8.1"] }
"""
EXAMPLES = """
[[tests]]
name = "an allowed type passes"
change = { after = { instance_type = "t3.micro" } }
expect = "pass"

[[tests]]
name = "another type fails"
change = { after = { instance_type = "m5.24xlarge" } }
expect = "fail"
message = "aws_instance.example uses m5.24xlarge"

[[tests]]
name = "a type that is not known yet"
change = { unknown = ["instance_type"] }
expect = "unknown"

[[tests]]
name = "what is no instance is not looked at"
change = { type = "aws_vpc", after = { instance_type = "m5.24xlarge" } }
expect = "skip"
"""
PLAN_TESTS = """\
[[tests]]
name = "one of two is refused"
changes = [
  { type = "aws_instance", name = "a", after = { instance_type = "t3.micro" } },
  { type = "aws_instance", name = "b", after = { instance_type = "m5.24xlarge" } },
]
verdict = "deny"
exact = true
expect = [
  { rule = "ACME-EC2-001", address = "aws_instance.a", outcome = "pass" },
  { rule = "ACME-EC2-001", address = "aws_instance.b", outcome = "fail" },
]
"""


def write_policy(folder: Path, rule: str = RULE + EXAMPLES, tests: str | None = PLAN_TESTS) -> Path:
    """Write the ruleset to ``folder/policy``, with one rule and one file of plan tests."""
    policy = folder / "policy"
    (policy / "rules").mkdir(parents=True, exist_ok=True)
    (policy / "ruleset.toml").write_text(MANIFEST, encoding="utf-8")
    (policy / "rules/types.toml").write_text(rule, encoding="utf-8")
    if tests is not None:
        (policy / "tests").mkdir(exist_ok=True)
        (policy / "tests/web.toml").write_text(tests, encoding="utf-8")
    return policy
