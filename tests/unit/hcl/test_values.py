"""Values of blocks: literals as they are, expressions as text or as unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tfgate.hcl.source_blocks import blocks
from tfgate.query.values import SENSITIVE, UNKNOWN

if TYPE_CHECKING:
    from tests.unit.hcl.conftest import Write
    from tfgate.hcl.subject import SourceBlock


def only(write: Write, text: str, name: str = "main.tf") -> SourceBlock:
    (block,) = blocks(write({name: text}))
    return block


def argument(write: Write, written: str) -> tuple[Any, Any]:
    block = only(write, f"locals {{\na = {written}\n}}\n")
    assert block.error is None
    return block.value["a"], block.known["a"]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1", 1),
        ("-5", -5),
        ("- 5", -5),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("12345678901234567890123", 1.2345678901234568e22),
        ("true", True),
        ("null", None),
        ('"x"', "x"),
        ('""', ""),
        ('("x")', "x"),
        (r'"a\n\"b\"\\\t\u00e9\U0001F600"', 'a\n"b"\\\té😀'),
        ('"$${a} %%{b} $ % $$"', "${a} %{b} $ % $$"),
        ('"é # no comment"', "é # no comment"),
        ("[]", []),
        ('[1, # one\n "x", [true], ]', [1, "x", [True]]),
        ("{}", {}),
        (
            '{ a = 1, "b c" : "x"\n 5 = null\n true = 2, if = 3 }',
            {"a": 1, "b c": "x", "5": None, "true": 2, "if": 3},
        ),
        ("<<E\n a\n\nb $${c}\nE", " a\n\nb ${c}\n"),
        ("<<-E\n    a\n\n      b\n  E", "a\n\n  b\n"),
        ("<<E\nE", ""),
    ],
)
def test_literals_are_values(write: Write, written: str, value: object) -> None:
    """Quotes, escapes, heredocs, numbers and collections mean what they mean in Terraform."""
    assert argument(write, written) == (value, value)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("var.x", "var.x"),
        ('"${var.x}"', "var.x"),
        ('"${ var.x["}"] }"', 'var.x["}"]'),
        ('"${var.x}${var.y}"', '"${var.x}${var.y}"'),
        ('"a-${var.x}"', '"a-${var.x}"'),
        ('"%{ if x }a%{ endif }"', '"%{ if x }a%{ endif }"'),
        ("f(1, [\n2])", "f(1, [\n2])"),
        ("1 + 2", "1 + 2"),
        ("(1 + 2)", "(1 + 2)"),
        ("!!x", "!!x"),
        ("--1", "--1"),
        ("x ? 1 : 2", "x ? 1 : 2"),
        ("[for a in b : a]", "[for a in b : a]"),
        ("é.ñ", "é.ñ"),
        ("<<E\n${x}\nE", "<<E\n${x}\nE"),
        ("(a\n.b)", "(a\n.b)"),
        ("/* c */ x", "x"),
        ("1e999", "1e999"),
    ],
)
def test_expressions_are_text_or_unknown(write: Write, written: str, text: str) -> None:
    """As written, but for what is around the only expression of a template."""
    value, known = argument(write, written)
    assert value == {"expression": text}
    assert known is UNKNOWN


def test_what_is_partly_known_is_partly_unknown(write: Write) -> None:
    """An unknown element hides none of its siblings; an unknown key hides all."""
    value, known = argument(write, "{ a = [1, var.x], (var.y) = 2 }")
    assert value == {"a": [1, {"expression": "var.x"}], "(var.y)": 2}
    assert known is UNKNOWN
    value, known = argument(write, "{ a = [1, var.x] }")
    assert known == {"a": [1, UNKNOWN]}
    _, known = argument(write, '{ "${var.y}" = 2 }')
    assert known is UNKNOWN


BLOCK = """\
terraform {
  required_version = ">= 1.5"
  backend "s3" {
    bucket  = "b"
    encrypt = true
  }
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 5.0" }
  }
}
"""


def test_nested_blocks_are_lists_under_their_kind(write: Write) -> None:
    """One or many, and nested by their labels."""
    block = only(write, BLOCK)
    document = block.document()
    assert document.pop("written") == document["body"]
    assert document == {
        "kind": "terraform",
        "type": "",
        "name": "",
        "labels": [],
        "address": "terraform",
        "file": "main.tf",
        "line": 1,
        "end_line": 10,
        "module": "",
        "body": {
            "required_version": ">= 1.5",
            "backend": [{"s3": {"bucket": "b", "encrypt": True}}],
            "required_providers": [{"aws": {"source": "hashicorp/aws", "version": "~> 5.0"}}],
        },
        "blocks": None,
        "providers": None,
    }


def test_json_syntax_gives_the_same_values(write: Write) -> None:
    """Terraform's own nested blocks are lists there too, templates are expressions."""
    text = """{"terraform": {"//": "x", "required_version": ">= 1.5",
        "backend": {"s3": {"bucket": "b", "encrypt": true}},
        "x": "${var.y}", "y": "a ${b}", "z": "$${c}"}}"""
    block = only(write, text, "main.tf.json")
    assert block.value == {
        "required_version": ">= 1.5",
        "backend": [{"s3": {"bucket": "b", "encrypt": True}}],
        "x": {"expression": "var.y"},
        "y": {"expression": '"a ${b}"'},
        "z": "${c}",
    }
    assert block.known["x"] is UNKNOWN


def test_dynamic_blocks_make_their_kind_unknown(write: Write) -> None:
    """How many there will be, and what is in them, is not in the source."""
    dynamic = 'dynamic "ingress" {\n for_each = x\n content {}\n }\n'
    text = f'resource "a" "b" {{\n ingress {{\n }}\n {dynamic}}}'
    block = only(write, text)
    assert block.known["ingress"] is UNKNOWN
    assert block.value["ingress"] == [{}]
    assert (block.type, block.name, block.address) == ("a", "b", "a.b")


@pytest.mark.parametrize(
    "text",
    [
        "locals {\n a = 1 +\n}\n",
        "locals {\n a = [1 2]\n}\n",
        "locals {\n a = 1\n a = 2\n}\n",
        'locals {\n a = "\\q"\n}\n',
        "locals {\n a = 1 b = 2\n}\n",
    ],
)
def test_a_block_that_cannot_be_read_says_so_and_costs_no_other(write: Write, text: str) -> None:
    """It has an error and no values; the block behind it has values."""
    index = write({"main.tf": text + 'output "o" {\n value = 1\n}\n'})
    torn, whole = blocks(index)
    assert torn.error is not None
    assert len(index.problems) == 1
    assert "its values are not known" in index.problems[0].message
    assert torn.value == torn.known == {}
    assert whole.error is None
    assert whole.value == {"value": 1}


def test_what_may_hold_blocks_and_is_not_read_is_an_error_for_every_rule(write: Write) -> None:
    """Whatever kinds are asked for: the block in question could be behind the tear."""
    index = write({"a.tf": 'output "o" {}\nlocals {\n', "b.tf": b"\xff", "c.tf": "check {}\n"})
    found = [
        (one.kind, str(one.location), one.error is None) for one in blocks(index, kinds=["output"])
    ]
    assert found == [
        ("output", "a.tf:1", True),
        ("unreadable", "a.tf:2", False),
        ("unreadable", "b.tf:1", False),
    ]


def test_kinds_and_types_choose(write: Write) -> None:
    """A type narrows the kinds that have one."""
    index = write({"a.tf": 'resource "x" "a" {}\nresource "y" "a" {}\nlocals {}\n'})
    assert [one.address for one in blocks(index, kinds=["resource"], types=["y"])] == ["y.a"]
    assert [one.address for one in blocks(index, kinds=["locals"])] == ["locals"]


def test_a_module_used_twice_is_read_once(write: Write) -> None:
    """Its blocks come once, with every module that uses them."""
    index = write(
        {
            "main.tf": 'module "a" {\n source = "./m"\n}\nmodule "b" {\n source = "./m"\n}\n',
            "m/main.tf": 'resource "x" "y" {}\n',
        }
    )
    (block,) = blocks(index, kinds=["resource"])
    assert block.modules == ("module.a", "module.b")
    assert (block.address, block.module_address) == ("module.a.x.y", "module.a")
    assert block.location.chain() == "main.tf:1 → m/main.tf:1"


@pytest.mark.parametrize(
    "text",
    [
        '{"locals": {"a": NaN}}',
        '{"locals": {"a": 1, "a": 2}}',
        '{"locals": {"a": {"b": 1, "b": 2}}}',
        '{"locals": {"${a}": 1}}',
    ],
)
def test_json_that_terraform_refuses_has_no_values(write: Write, text: str) -> None:
    """A name given twice, or that is a template, or a number that is none."""
    assert only(write, text, "main.tf.json").error is not None


def test_secrets_are_not_shown(write: Write) -> None:
    """By name, by look, by mark; the rule itself sees them."""
    token = "ghp_" + "a1B2" * 9
    index = write(
        {
            "main.tf": f"""\
                resource "x" "y" {{
                  password = "p"
                  nested {{
                    values = ["ok", "{token}"]
                    secrets = {{ api_key = "k", other = var.x, none = "" }}
                  }}
                }}
                variable "v" {{
                  default   = {{ a = 1 }}
                  sensitive = true
                }}
                variable "w" {{
                  default = "d"
                }}
                """
        }
    )
    resource, marked, plain = blocks(index)
    assert resource.document()["body"]["password"] == "p"
    shown = resource.redacted()["body"]
    assert shown["password"] is SENSITIVE
    (nested,) = shown["nested"]
    assert nested["values"] == ["ok", SENSITIVE]
    assert nested["secrets"] == {"api_key": SENSITIVE, "other": UNKNOWN, "none": ""}
    assert marked.redacted()["body"]["default"] is SENSITIVE
    assert plain.redacted()["body"]["default"] == "d"
