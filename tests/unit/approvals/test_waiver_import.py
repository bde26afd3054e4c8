"""Skip comments of other tools become waivers that cover what the comment did, and no more."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from tfgate.approvals.waiver_import import MAPPING, import_waivers
from tfgate.engine.functions import rule_functions
from tfgate.ruleset import load_ruleset, shipped_names
from tfgate.ruleset.config_tables import read_waiver_file
from tfgate.ruleset.files import read_toml
from tfgate.ruleset.sources import shipped_folder

if TYPE_CHECKING:
    from pathlib import Path

    from tfgate.approvals.waiver_import import Imported

TODAY = dt.date(2026, 11, 24)
LAST = dt.date(2027, 6, 30)


def imported(root: Path, **files: str) -> Imported:
    root.mkdir(exist_ok=True)
    for name, text in files.items():
        path = root / (name.replace("__", "/") + ".tf")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return import_waivers(root, None, owner="team", expires=LAST, today=TODAY)


def test_every_mapped_rule_is_shipped() -> None:
    """A mapping to a rule that does not exist would write waivers of nothing."""
    functions = rule_functions()
    sets = [load_ruleset(f"tfgate:{name}", functions=functions) for name in shipped_names()]
    rules = {rule.id for ruleset in sets for rule in ruleset.rules}
    mapped = read_toml(shipped_folder() / MAPPING, MAPPING).table
    assert {rule for table in mapped.values() for rule in table.values()} - rules == set()


def test_a_known_check_becomes_a_waiver_and_others_are_listed(tmp_path: Path) -> None:
    """What is not known is said, with its place."""
    found = imported(
        tmp_path,
        main="""
resource "aws_s3_bucket" "a" {
  #checkov:skip=CKV_AWS_18:logs are elsewhere
  #checkov:skip=CKV_AWS_9999:dunno
}
""",
    )
    (waiver,) = found.waivers
    assert (waiver.rule, waiver.address) == ("AWS-S3-006", "aws_s3_bucket.a")
    assert (waiver.reason, waiver.owner, waiver.expires) == ("logs are elsewhere", "team", LAST)
    (left,) = found.left
    assert left.startswith("main.tf:4: checkov:skip=CKV_AWS_9999:")


def test_instances_are_covered(tmp_path: Path) -> None:
    """A block with for_each, in a module that is called with count, has indexes in a plan."""
    found = imported(
        tmp_path,
        main='module "m" {\n  source = "./m"\n  count = 2\n}\n',
        m__main="""
#tfsec:ignore:aws-ec2-no-public-ingress-sgr
resource "aws_security_group" "x" {
  for_each = toset(["a"])
}
""",
    )
    assert [waiver.address for waiver in found.waivers] == ["module.m[*].aws_security_group.x[*]"]


@pytest.mark.parametrize(
    ("comment", "why"),
    [
        ("#trivy:ignore:AVD-AWS-0107:exp:2020-01-01", "expired"),
        ("#trivy:ignore:AVD-AWS-0107:exp:soon", "no date"),
        ("#trivy:ignore:AVD-AWS-0107:ws:prod", "one workspace"),
        ("#trivy:ignore:*", "no rule"),
    ],
)
def test_what_a_waiver_cannot_say_is_left(tmp_path: Path, comment: str, why: str) -> None:
    """A waiver must not silence more than the comment did."""
    found = imported(tmp_path, main=f'{comment}\nresource "aws_security_group" "x" {{\n}}\n')
    assert found.waivers == ()
    assert why in found.left[0]


def test_the_earlier_end_counts(tmp_path: Path) -> None:
    """A comment that ends before the day that was asked for still ends then."""
    text = '#trivy:ignore:AVD-AWS-0107:exp:2027-01-31\nresource "aws_security_group" "x" {\n}\n'
    (waiver,) = imported(tmp_path, main=text).waivers
    assert waiver.expires == dt.date(2027, 1, 31)


def test_the_file_is_a_waiver_file(tmp_path: Path) -> None:
    """Whatever stands in a comment, what is written can be read."""
    reason = 'a "quote" \\ \x7f 😀 ]]'
    text = f'resource "aws_s3_bucket" "a" {{\n  #checkov:skip=CKV_AWS_18:{reason}\n}}\n'
    path = tmp_path / "waivers.toml"
    path.write_text(imported(tmp_path / "root", main=text).toml(), encoding="utf-8")
    problems: list = []
    _, waivers = read_waiver_file(path, "waivers.toml", problems)
    assert problems == []
    assert [waiver.reason for waiver in waivers] == [reason]


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    """Comments that nobody looked at would pass for comments that are not there."""
    found = imported(tmp_path, main="#" + "x" * 6_000_000)
    assert found.waivers == ()
    assert found.left == ("main.tf: larger than 5242880 bytes: not read",)
