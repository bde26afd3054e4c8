"""The gate around an apply of AWS resources, against a cloud on 127.0.0.1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.gate import Gate
from tests.support.machine import AWS_HEAD, moto_server, terraform_env
from tests.support.parts import require_part

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.terraform, pytest.mark.aws_provider, pytest.mark.slow]

MAIN = (
    AWS_HEAD
    + """
variable "cidr" {
  default = "10.0.0.0/8"
}
resource "aws_s3_bucket" "logs" {
  bucket_prefix = "logs-"
}
resource "aws_security_group" "web" {
  name = "web"
  ingress {
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = [var.cidr]
  }
}
resource "aws_iam_role" "app" {
  name = "app"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ec2.amazonaws.com" }
    }]
  })
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
id = "T-SSH"
title = "SSH is not open to the world"
severity = "high"
enforcement = "hard-mandatory"
match = { types = ["aws_security_group"] }
deny = "after.ingress[?contains(cidr_blocks, '0.0.0.0/0')]"
message = "{address} lets everybody in"

[[rules]]
id = "T-NAME"
title = "Buckets are named logs-"
severity = "low"
enforcement = "soft-mandatory"
match = { types = ["aws_s3_bucket"] }
require = "starts_with(after.bucket, 'logs-')"
message = "{address} has the name {after.bucket}"

[[rules]]
id = "T-ARN"
title = "Roles are in the right account"
severity = "low"
enforcement = "advisory"
match = { types = ["aws_iam_role"] }
require = "contains(after.arn, ':999999999999:')"
message = "{address} is in another account"
"""


@pytest.fixture(scope="module")
def cloud() -> Iterator[str]:
    """Run a cloud."""
    require_part("aws")
    require_part("moto")
    with moto_server() as url:
        yield url


@pytest.fixture
def gate(cloud: str, tmp_path: Path) -> Iterator[Gate]:
    """Yield the gate around the Terraform on PATH, with the AWS provider."""
    require_part("terraform")
    made = Gate(tmp_path, "terraform", main=MAIN, rules=RULES)
    made.env |= terraform_env(tmp_path, mirror=require_part("aws"))
    made.env["AWS_ENDPOINT_URL"] = cloud
    made.terraform("init")
    yield made
    made.close()


def test_apply_and_check_after(gate: Gate) -> None:
    """Allowed resources are made; what the cloud chose is judged afterwards."""
    ended = gate.run("apply", "-auto-approve", "-json")
    assert ended.code == 0, ended
    made = {one["address"] for one in gate.records()[2]["changes"]["applied"]}
    assert made == {"aws_s3_bucket.logs", "aws_security_group.web", "aws_iam_role.app"}
    results = {one["rule"]: one["result"] for one in gate.records()[-1]["results"]}
    assert results["T-NAME"] == "met"
    assert results["T-ARN"] == "broken"  # advisory: told, and no failure
    ended = gate.run("apply", "-destroy", "-auto-approve", "--allow-empty")
    assert ended.code == 0, ended
    assert gate.state() == []


def test_denied_resources_are_not_made(gate: Gate) -> None:
    """An open security group stops all of the plan, with its line."""
    ended = gate.run("apply", "-auto-approve", "-var=cidr=0.0.0.0/0")
    assert ended.code == 1
    assert "aws_security_group.web lets everybody in" in ended.err
    assert gate.state() == []
