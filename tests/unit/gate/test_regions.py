"""CORE-REGION-001 on regions that come through variables, locals and modules."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.plan_json import configuration, plan
from tfgate.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

MAIN = """
variable "region" {
  type    = string
  default = "eu-west-1"
}
locals {
  home = var.region
}
provider "aws" {
  region = var.region
}
provider "aws" {
  alias  = "two"
  region = local.home
}
provider "aws" {
  alias  = "three"
  region = replace(var.region, "eu", "us")
}
module "m" {
  source = "./m"
  where  = var.region
}
"""
INNER = """
variable "where" {
  type = string
}
provider "aws" {
  alias  = "inner"
  region = var.where
}
"""
GATE = """
[gate]
rulesets = ["tfgate:core"]
[params.core]
allowed_regions = ["eu-*"]
[audit]
log = "audit.jsonl"
"""


def provider(*references: str, **more: str) -> dict[str, Any]:
    """A provider configuration whose region refers to something."""
    return {"name": "aws", "expressions": {"region": {"references": [*references]}}, **more}


@pytest.mark.parametrize(
    ("region", "outcome", "sources"),
    [("eu-west-1", "pass", True), ("us-east-1", "fail", True), ("eu-west-1", "unknown", False)],
)
def test_a_region_is_followed_as_far_as_the_sources_show_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    region: str,
    outcome: str,
    sources: bool,
) -> None:
    """What a function makes of it is unknown, and so is all of it without the sources."""
    monkeypatch.chdir(tmp_path)
    call = {"where": {"references": ["var.region"]}}
    config = configuration(
        variables={"region": {"default": "eu-west-1"}},
        module_calls={
            "m": {"source": "./m", "expressions": call, "module": {"variables": {"where": {}}}}
        },
        provider_config={
            "aws": provider("var.region"),
            "aws.two": provider("local.home", alias="two"),
            "aws.three": provider("var.region", alias="three"),
            "module.m:aws.inner": provider("var.where", alias="inner", module_address="module.m"),
        },
    )
    made = plan(configuration=config, variables={"region": {"value": region}}, complete=True)
    (tmp_path / "plan.json").write_bytes(made)
    (tmp_path / "tfgate.toml").write_text(GATE)
    if sources:
        (tmp_path / "main.tf").write_text(MAIN)
        (tmp_path / "m").mkdir()
        (tmp_path / "m" / "main.tf").write_text(INNER)
    main(["check", "plan.json", "--report", "json"])
    found = {
        one["address"]: one["outcome"]
        for one in json.loads(capfd.readouterr().out)["outcomes"]
        if one["rule"] == "CORE-REGION-001"
    }
    assert found == {
        "provider.aws": outcome,
        "provider.aws.two": outcome,
        "provider.aws.three": "unknown",
        "module.m.provider.aws.inner": outcome,
    }
