"""Comments that waive, comments that were meant to, and text that only looks like one."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

import pytest

from tfgate.hcl.waivers import comment_waivers, foreign_skips
from tfgate.model.address import block_covers, config_address

if TYPE_CHECKING:
    from tests.unit.hcl.conftest import Write

GOOD = 'tfgate:waive R-1 reason="a test" expires=2027-01-31 owner=me'


def waived(write: Write, text: str, name: str = "main.tf") -> list[tuple[str, str, str]]:
    waivers, problems = comment_waivers(write({name: text}))
    assert problems == []
    return [(one.rule, one.address, one.source) for one in waivers]


def complaints(write: Write, text: str) -> list[tuple[str, int]]:
    waivers, problems = comment_waivers(write({"main.tf": text}))
    assert waivers == []
    return [(str(one.kind), one.location.line) for one in problems]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f'# {GOOD}\nresource "x" "y" {{}}\n', 1),
        (f'#{GOOD}\nresource "x" "y" {{}}\n', 1),
        (f'// {GOOD}\nresource "x" "y" {{}}\n', 1),
        (f'/* {GOOD} */\nresource "x" "y" {{}}\n', 1),
        (f'/* {GOOD} */ resource "x" "y" {{}}\n', 1),
        (f'/**\n * {GOOD}\n */\nresource "x" "y" {{}}\n', 2),
        (f'# {GOOD}\n# more\n// and more\nresource "x" "y" {{}}\n', 1),
        (f'resource "x" "y" {{ # {GOOD}\n}}\n', 1),
        (f'resource "x" "y" {{\n  # {GOOD}\n}}\n', 2),
        (f'resource "x" "y" {{\n  a {{\n    b = 1 # {GOOD}\n  }}\n}}\n', 3),
        (f'resource "x" "y" {{\n}} # {GOOD}\nresource "x" "z" {{}}\n', 2),
        (f'resource "x" "y" {{\r\n  # {GOOD}\r\n}}\r\n', 2),
    ],
)
def test_a_comment_waives_on_the_block_it_belongs_to(write: Write, text: str, line: int) -> None:
    """Above it, inside it at any depth, or on its last line; in every form of comment."""
    assert waived(write, text) == [("R-1", "x.y", f"main.tf:{line}")]


def test_every_part_of_a_waiver_is_kept(write: Write) -> None:
    """Reason, owner, last day, ticket, place; in any order, over several lines."""
    text = (
        '\n/* tfgate:waive A,B, C-*\n   ticket="T 1" owner=o@x.example\n   expires=2027-01-31\n'
        '   reason="say \\"why\\"\n   at length" */\ndata "x" "y" {}\n'
    )
    waivers, problems = comment_waivers(write({"main.tf": text}))
    assert problems == []
    assert [one.rule for one in waivers] == ["A", "B", "C-*"]
    first = waivers[0]
    assert first.reason == 'say "why" at length'
    assert (first.owner, first.ticket, first.kind) == ("o@x.example", "T 1", "comment")
    assert first.expires == dt.date(2027, 1, 31)
    assert first.address == "data.x.y"
    assert first.location is not None
    assert (str(first.location), first.location.end_line) == ("main.tf:2", 6)


def test_several_comments_on_one_block_all_count(write: Write) -> None:
    """One above, one inside."""
    text = f'# {GOOD}\nresource "x" "y" {{\n  # {GOOD.replace("R-1", "R-2")}\n}}\n'
    assert [rule for rule, _, _ in waived(write, text)] == ["R-1", "R-2"]


@pytest.mark.parametrize(
    "text",
    [
        f'output "o" {{\n  value = "# {GOOD}"\n}}\n',
        f'output "o" {{\n  value = <<E\n# {GOOD}\nE\n}}\n',
        f'output "o" {{\n  value = "${{f("\\"# {GOOD.replace(chr(34), "")}")}}"\n}}\n',
        f'# the words {GOOD} in a sentence\noutput "o" {{}}\n',
        'output "o" {}\n',
    ],
)
def test_text_that_looks_like_a_waiver_waives_nothing(write: Write, text: str) -> None:
    """Strings, heredocs and prose are no waivers, and no mistakes either."""
    assert waived(write, text) == []


@pytest.mark.parametrize(
    ("comment", "kinds"),
    [
        ("tfgate:waive R-1 expires=2027-01-31 owner=me", ["missing-reason"]),
        ('tfgate:waive R-1 reason="" expires=2027-01-31 owner=me', ["missing-reason"]),
        ('tfgate:waive R-1 reason=" " expires=2027-01-31 owner=me', ["missing-reason"]),
        ('tfgate:waive R-1 reason="x" owner=me', ["missing-expiry"]),
        ('tfgate:waive R-1 reason="x" expires=2027-01-31', ["missing-owner"]),
        ('tfgate:waive reason="x" expires=2027-01-31 owner=me', ["no-rule"]),
        ('tfgate:waive R-1 reason="x" expires=31.1.2027 owner=me', ["malformed-date"]),
        ('tfgate:waive R-1 reason="x" expires=2027-02-30 owner=me', ["malformed-date"]),
        ('tfgate:waive R-1 reason="x" expires=20270131 owner=me', ["malformed-date"]),
        ('tfgate:waive R-1 reason="x" expires=2027-01-31 owner=me until=3', ["unknown-key"]),
        (
            'tfgate:waive R-1 reson="x" expires=2027-01-31 owner=me',
            ["unknown-key", "missing-reason"],
        ),
        ('tfgate:waive R-1 reason="x expires=2027-01-31 owner=me', ["malformed"]),
        ("tfgate:waive R-1 reason=a test expires=2027-01-31 owner=me", ["malformed"]),
        ('tfgate:waive R-1 reason="x" reason="y" expires=2027-01-31 owner=me', ["malformed"]),
        ('tfgate:waive R$1 reason="x" expires=2027-01-31 owner=me', ["malformed"]),
        (f'tfgate:waive R-1 reason="{"x" * 3000}" expires=2027-01-31 owner=me', ["malformed"]),
        ("tfgate:ignore R-1", ["unknown-directive"]),
        ("tfgate:waive", ["no-rule", "missing-reason", "missing-owner", "missing-expiry"]),
    ],
)
def test_each_mistake_is_a_problem_and_nothing_is_waived(
    write: Write, comment: str, kinds: list[str]
) -> None:
    """All mistakes of a comment are told in one run, at its line."""
    text = f'\n# {comment}\nresource "x" "y" {{}}\n'
    assert complaints(write, text) == [(kind, 2) for kind in kinds]


@pytest.mark.parametrize(
    "text",
    [
        f'# {GOOD}\n\nresource "x" "y" {{}}\n',
        f'resource "x" "y" {{}}\n\n# {GOOD}\n',
        f'# {GOOD}\nunknown "x" {{}}\n',
        f"# {GOOD}\n",
    ],
)
def test_a_comment_that_belongs_to_no_block_is_a_problem(write: Write, text: str) -> None:
    """A blank line lets go of it."""
    assert [kind for kind, _ in complaints(write, text)] == ["unattached"]


def test_a_comment_in_a_module_waives_wherever_the_module_is_called(write: Write) -> None:
    """One waiver a place, each with the chain of calls."""
    index = write(
        {
            "main.tf": 'module "a" {\n  source = "./m"\n}\nmodule "b" {\n  source = "./m"\n}\n',
            "m/main.tf": f'# {GOOD}\nresource "x" "y" {{}}\n',
        }
    )
    waivers, _ = comment_waivers(index)
    found = [(one.address, one.location.chain()) for one in waivers if one.location]
    assert found == [
        ("module.a.x.y", "main.tf:1 → m/main.tf:1"),
        ("module.b.x.y", "main.tf:4 → m/main.tf:1"),
    ]


def test_a_comment_on_a_module_call_waives_all_inside(write: Write) -> None:
    """The call itself too, and modules further in."""
    text = f'# {GOOD}\nmodule "a" {{\n  source = "./m"\n}}\n'
    waivers, _ = comment_waivers(write({"main.tf": text, "m/main.tf": ""}))
    assert [one.address for one in waivers] == ["module.a.*"]


def test_a_module_from_elsewhere_waives_nothing(write: Write) -> None:
    """Its authors are not those who review the change."""
    entry = {"Key": "a", "Source": "registry/a/b", "Dir": ".terraform/modules/a"}
    index = write(
        {
            "main.tf": 'module "a" {\n  source = "a/b/c"\n}\n',
            ".terraform/modules/modules.json": json.dumps({"Modules": [entry]}),
            ".terraform/modules/a/main.tf": f'# {GOOD}\nresource "x" "y" {{}}\n',
        }
    )
    waivers, problems = comment_waivers(index)
    assert waivers == []
    assert [str(one.kind) for one in problems] == ["downloaded"]


@pytest.mark.parametrize(
    ("declared", "address", "covers"),
    [
        ("x.y", "x.y", True),
        ("x.y", "x.y[0]", True),
        ("x.y", 'x.y["a.b"]', True),
        ("x.y", "x.yy", False),
        ("x.y", "module.a.x.y", False),
        ("module.a.x.y", 'module.a["]"].x.y[1]', True),
        ("module.a.*", "module.a", True),
        ("module.a.*", "module.a[0]", True),
        ("module.a.*", 'module.a["x"].module.b.x.y', True),
        ("module.a.*", "module.ab.x.y", False),
        ("module.a.*", "module.b.module.a.x.y", False),
    ],
)
def test_what_a_block_covers_is_exact(declared: str, address: str, covers: bool) -> None:
    """All instances and nothing beside them."""
    assert block_covers(declared, address) is covers


def test_hostile_keys_do_not_leak_into_the_address() -> None:
    """A key may hold what looks like an address."""
    assert config_address('x.y["] x.z[\\"0"]') == "x.y"
    assert config_address('module.a["module.b"].x.y["\\\\"]') == "module.a.x.y"


def test_a_json_comment_property_waives(write: Write) -> None:
    """Terraform ignores ``"//"`` in a block; at the top it belongs to none."""
    comment = "tfgate:waive R-1 reason=why expires=2027-01-31 owner=me"
    text = f'{{"resource": {{"x": {{"y": {{\n"//": "{comment}"}}}}}}}}'
    assert waived(write, text, "main.tf.json") == [("R-1", "x.y", "main.tf.json:2")]


def test_skips_of_other_tools_are_listed(write: Write) -> None:
    """With tool, id, reason, what limits them, and the block they belong to."""
    text = """\
        # tfsec:ignore:aws-s3-a tfsec:ignore:aws-s3-b:exp:2027-01-02
        resource "x" "y" {
          #checkov:skip=CKV_AWS_20:The bucket is public
          # checkov:skip=CKV_1,CKV_2
          a = 1 #trivy:ignore:AVD-AWS-0001:ws:dev
          b = "#checkov:skip=CKV_3:no comment"
        }

        #trivy:ignore:*
        """
    found = [
        (one.location.line, one.address, one.tool, one.id, one.reason, one.expires, one.workspace)
        for one in foreign_skips(write({"main.tf": text}))
    ]
    assert found == [
        (1, "x.y", "tfsec", "aws-s3-a", "", None, None),
        (1, "x.y", "tfsec", "aws-s3-b", "", "2027-01-02", None),
        (3, "x.y", "checkov", "CKV_AWS_20", "The bucket is public", None, None),
        (4, "x.y", "checkov", "CKV_1", "", None, None),
        (4, "x.y", "checkov", "CKV_2", "", None, None),
        (5, "x.y", "trivy", "AVD-AWS-0001", "", None, "dev"),
        (9, None, "trivy", "*", "", None, None),
    ]
