"""A pass or a failure before the apply is one after it: joins, dynamic blocks, real plans."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.gate import Gate
from tests.support.machine import AWS_HEAD, moto_server, terraform_env
from tests.support.parts import require_part

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.terraform, pytest.mark.aws_provider, pytest.mark.slow]

HEAD = (
    AWS_HEAD
    + """
variable "t" {
  default = false
}
variable "k" {
  default = "x"
}
resource "terraform_data" "n" {
  input = ["10.0.0.0/8", "10.1.0.0/16"]
}
"""
)
SHAPES = {
    "bare": "aws_s3_bucket.a_bare.id",
    "template": '"${aws_s3_bucket.a_template.id}"',
    "hop": "local.hop",
    "condition": "var.t ? aws_s3_bucket.a_condition.id : aws_s3_bucket.b_condition.id",
    "coalesce": "coalesce(aws_s3_bucket.b_coalesce.id, aws_s3_bucket.a_coalesce.id)",
    "index": "[aws_s3_bucket.b_index.id, aws_s3_bucket.a_index.id][0]",
    "replace": 'replace(aws_s3_bucket.a_replace.id, "/.*/", "zzzz")',
    "length": '"xyz${length(aws_s3_bucket.a_length.id)}"',
    "map": "{ x = aws_s3_bucket.b_map.id, y = aws_s3_bucket.a_map.id }[var.k]",
    "count": "[aws_s3_bucket.a_count.id, aws_s3_bucket.b_count.id][count.index + 1]",
}
"""Name → how the block names its bucket."""
CERTAIN = {"bare", "template", "hop"}
PAIR = """
resource "aws_s3_bucket" "a_{name}" {{
  bucket_prefix = "a-{name}-"
}}
resource "aws_s3_bucket" "b_{name}" {{
  bucket_prefix = "b-{name}-"
}}
resource "aws_s3_bucket_public_access_block" "{name}" {{
  {count}
  bucket            = {expression}
  block_public_acls = true
}}
"""
MAIN = (
    HEAD
    + "locals {\n  hop = aws_s3_bucket.a_hop.id\n}\n"
    + "".join(
        PAIR.format(name=name, expression=text, count="count = 1" if name == "count" else "")
        for name, text in SHAPES.items()
    )
)
GROUPS = (
    HEAD
    + """
resource "aws_security_group" "unknown" {
  name = "unknown"
  dynamic "ingress" {
    for_each = terraform_data.n.output
    content {
      from_port   = 22
      to_port     = 22
      protocol    = "tcp"
      cidr_blocks = [ingress.value]
    }
  }
}
resource "aws_security_group" "beside" {
  name = "beside"
  ingress {
    from_port   = 80
    to_port     = 80
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8"]
  }
  dynamic "ingress" {
    for_each = terraform_data.n.output
    content {
      from_port   = 22
      to_port     = 22
      protocol    = "tcp"
      cidr_blocks = [ingress.value]
    }
  }
}
resource "aws_security_group" "known" {
  name = "known"
  dynamic "ingress" {
    for_each = ["one"]
    content {
      from_port   = 22
      to_port     = 22
      protocol    = "tcp"
      cidr_blocks = [terraform_data.n.output[0]]
    }
  }
}
"""
)
RULES = """
[ruleset]
id = "test"
version = "1.0.0"
title = "Rules of a test"
owners = ["tester@tfgate.example"]

[[rules]]
id = "T-GUARDED"
title = "Buckets have a public access block"
severity = "high"
enforcement = "soft-mandatory"
match = { types = ["aws_s3_bucket"], actions = ["create", "no-op"] }
require = "referenced_by('aws_s3_bucket_public_access_block')"
message = "{address} has none"

[[rules]]
id = "T-ONE"
title = "Groups have one rule"
severity = "high"
enforcement = "advisory"
match = { types = ["aws_security_group"], actions = ["create", "no-op"] }
require = "length(after.ingress) <= `1`"
message = "{address} has more"
"""


@pytest.fixture(scope="module")
def cloud() -> Iterator[str]:
    """Run a cloud."""
    require_part("aws")
    require_part("moto")
    with moto_server() as url:
        yield url


def made(cloud: str, folder: Path, main: str) -> Gate:
    """The gate around the Terraform on PATH, with the AWS provider and this configuration."""
    require_part("terraform")
    gate = Gate(folder, "terraform", main=main, rules=RULES)
    gate.env |= terraform_env(folder, mirror=require_part("aws"))
    gate.env["AWS_ENDPOINT_URL"] = cloud
    gate.terraform("init")
    return gate


def outcomes(gate: Gate, plan: str, *arguments: str) -> dict[str, str]:
    """What the rules say of each resource: its outcome."""
    report = json.loads(gate.run("check", plan, "--report", "json", *arguments).out)
    assert not report["undecided"], report
    return {one["address"]: one["outcome"] for one in report["outcomes"]}


def as_json(gate: Gate, plan: str) -> str:
    """The JSON of a plan file, in a folder without sources."""
    path = gate.own / f"{plan}.json"
    path.write_text(gate.terraform("show", "-json", plan))
    return str(path)


def test_a_possible_reference_decides_nothing_before_the_apply(cloud: str, tmp_path: Path) -> None:
    """What passes or fails at first is the same once everything is known; the rest is unknown."""
    gate = made(cloud, tmp_path, MAIN)
    gate.plan(name="first")
    first = as_json(gate, "first")
    alone = outcomes(gate, first, "--root", str(gate.own))
    beside = outcomes(gate, first)
    for name in SHAPES:
        a, b = f"aws_s3_bucket.a_{name}", f"aws_s3_bucket.b_{name}"
        assert alone[a] == "unknown"
        if name in CERTAIN:
            assert beside[a] == "pass"
            assert beside[b] == "fail"
        else:
            assert beside[a] == "unknown"


def test_obligations_are_settled_by_the_ids_in_the_state(cloud: str, tmp_path: Path) -> None:
    """What was let through as possible is met where the block is for the bucket, or broken."""
    only = PAIR.format(name="condition", expression=SHAPES["condition"], count="")
    gate = made(cloud, tmp_path, HEAD + only)
    text = RULES.replace('"soft-mandatory"', '"advisory"')
    (gate.own / "rules.toml").write_text(text)
    ended = gate.run("apply", "-auto-approve")
    assert ended.code == 0, ended
    results = {one["address"]: one["result"] for one in gate.records()[-1]["results"]}
    assert results == {
        "aws_s3_bucket.a_condition": "broken",
        "aws_s3_bucket.b_condition": "met",
    }


def test_a_dynamic_block_over_the_unknown_has_an_unknown_length(cloud: str, tmp_path: Path) -> None:
    """One that is over something known keeps its length."""
    gate = made(cloud, tmp_path, GROUPS)
    gate.plan(name="first")
    first = as_json(gate, "first")
    for found in (outcomes(gate, first), outcomes(gate, first, "--root", str(gate.own))):
        assert found == {
            "aws_security_group.unknown": "unknown",
            "aws_security_group.beside": "unknown",
            "aws_security_group.known": "pass",
        }
