"""An address leads to the file and line that declare it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tfgate.hcl.index import SourceIndex, disagreement

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.hcl.conftest import Write


def place(index: SourceIndex, address: str, attribute: str | None = None) -> str | None:
    found = index.locate(address, attribute)
    return None if found is None else f"{found.chain()}-{found.end_line}"


KINDS = """\
resource "aws_vpc" "a" {
}
data "aws_ami" "b" {}
ephemeral "random_password" "c" {}
action "aws_lambda_invoke" "d" {}
output "e" {}
variable "f" {}
check "g" {}
provider "aws" {}
provider "aws" {
  alias = "west"
}
terraform {}
locals {
  h = 1
  i = {
    j = 1
  }
}
moved {
  from = aws_vpc.old
  to   = aws_vpc.a
}
removed {
  from = aws_vpc.gone
}
import {
  to = aws_vpc.found
  id = "x"
}
"""


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("aws_vpc.a", "main.tf:1-2"),
        ("aws_vpc.a[3]", "main.tf:1-2"),
        ('aws_vpc.a["x.y[0]"]', "main.tf:1-2"),
        ('aws_vpc.a["\\"]"]', "main.tf:1-2"),
        ("data.aws_ami.b", "main.tf:3-3"),
        ("ephemeral.random_password.c", "main.tf:4-4"),
        ("action.aws_lambda_invoke.d", "main.tf:5-5"),
        ("output.e", "main.tf:6-6"),
        ("var.f", "main.tf:7-7"),
        ("check.g", "main.tf:8-8"),
        ("provider.aws", "main.tf:9-9"),
        ("provider.aws.west", "main.tf:10-12"),
        ("terraform", "main.tf:13-13"),
        ("local.h", "main.tf:15-15"),
        ("local.i", "main.tf:16-18"),
        ("moved.aws_vpc.old", "main.tf:20-23"),
        ("removed.aws_vpc.gone", "main.tf:24-26"),
        ("aws_vpc.gone", "main.tf:24-26"),
        ("aws_vpc.found", "main.tf:27-30"),
        ("aws_vpc.nowhere", None),
        ("module.nowhere.aws_vpc.a", None),
    ],
)
def test_every_kind_of_block_has_an_address(
    write: Write, address: str, expected: str | None
) -> None:
    """Instances lead to their block, deleted and imported resources to the block about them."""
    assert place(write({"main.tf": KINDS}), address) == expected


NESTED = """\
resource "aws_security_group" "a" {
  name = "x"
  ingress {
    port = 1
  }
  ingress {
    port  = 2
    cidrs = [
      "10.0.0.0/8",
      "0.0.0.0/0",
    ]
  }
  dynamic "egress" {
    for_each = [1]
    content {
      port = 3
    }
  }
  tags = merge(local.tags, {
    Name = "x"
  })
  lifecycle {
    precondition {
      condition = true
    }
  }
}
"""


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [
        ("name", "main.tf:2-2"),
        ("ingress", "main.tf:3-5"),
        ("ingress[0].port", "main.tf:4-4"),
        ("ingress[1]", "main.tf:6-12"),
        ("ingress[1].port", "main.tf:7-7"),
        ("ingress[1].cidrs[1]", "main.tf:10-10"),
        ("ingress[1].cidrs[7]", "main.tf:8-11"),
        ("ingress[1].unknown", "main.tf:6-12"),
        ("ingress.port", "main.tf:4-4"),
        ("egress[2].port", "main.tf:16-16"),
        ("egress[0].unknown", "main.tf:13-18"),
        ("tags.Name", "main.tf:19-21"),
        ("lifecycle.precondition[0].condition", "main.tf:24-24"),
        ("unknown", "main.tf:1-27"),
        ("", "main.tf:1-27"),
        ("[*]", "main.tf:1-27"),
    ],
)
def test_an_attribute_is_found_by_its_longest_known_prefix(
    write: Write, attribute: str, expected: str
) -> None:
    """Nested blocks by number, dynamic blocks, objects and tuples."""
    assert place(write({"main.tf": NESTED}), "aws_security_group.a", attribute) == expected


def test_modules_are_followed_by_path_where_there_is_no_manifest(write: Write) -> None:
    """The chain of calls leads from the root to the resource."""
    index = write(
        {
            "main.tf": 'module "a" {\n  count  = 2\n  source = "./modules/a"\n}\n',
            "modules/a/main.tf": 'module "b" {\n  source = "../b"\n}\n',
            "modules/b/b.tf": '\nresource "x" "y" {}\n',
        }
    )
    found = place(index, "module.a[1].module.b.x.y[0]")
    assert found == "main.tf:1 → modules/a/main.tf:1 → modules/b/b.tf:2-2"
    assert place(index, "module.a[0]") == "main.tf:1-4"
    assert place(index, "module.a[0].x.gone") == "main.tf:1-4"
    assert index.complete


def test_the_manifest_says_where_remote_modules_are(write: Write) -> None:
    """Windows separators in it are read as ``terraform init`` meant them."""
    manifest = {
        "Modules": [
            {"Key": "", "Source": "", "Dir": "."},
            {
                "Key": "net",
                "Source": "registry.terraform.io/a/b/c",
                "Version": "1.0.0",
                "Dir": ".terraform\\modules\\net",
            },
        ]
    }
    index = write(
        {
            "main.tf": 'module "net" {\n  source = "a/b/c"\n}\n',
            ".terraform/modules/modules.json": json.dumps(manifest),
            ".terraform/modules/net/main.tf": 'resource "x" "y" {}\n',
        }
    )
    assert place(index, "module.net.x.y") == "main.tf:1 → .terraform/modules/net/main.tf:1-1"


def test_an_override_is_where_its_arguments_are(write: Write) -> None:
    """The block is the one overridden; an argument that the override sets is in the override."""
    index = write(
        {
            "main.tf": 'resource "x" "y" {\n  a = 1\n  b = 1\n}\n',
            "c_override.tf": 'resource "x" "y" {\n  b = 2\n}\n',
            "override.tf": 'resource "x" "y" {\n\n  b = 3\n}\n',
        }
    )
    assert place(index, "x.y") == "main.tf:1-4"
    assert place(index, "x.y", "a") == "main.tf:2-2"
    assert place(index, "x.y", "b") == "override.tf:3-3"


def test_a_tofu_file_hides_the_terraform_file_of_its_name(tmp_path: Path, write: Write) -> None:
    """OpenTofu reads ``main.tofu`` instead of ``main.tf``; Terraform reads no ``.tofu`` at all."""
    index = write(
        {
            "main.tf": 'resource "x" "y" {}\n',
            "main.tofu": '\nresource "x" "y" {}\n',
            "other.tf": 'resource "x" "z" {}\n',
        }
    )
    assert place(index, "x.y") == "main.tofu:2-2"
    assert place(index, "x.z") == "other.tf:1-1"


JSON = """\
{
  "//": "a comment",
  "resource": {
    "aws_vpc": {
      "a": {
        "cidr": "x",
        "tags": {
          "Name": "y"
        },
        "ingress": [
          {"port": 1},
          {"port": 2}
        ]
      },
      "b": [
        {"cidr": "x"}
      ]
    }
  },
  "provider": {"aws": [{"region": "a"}, {
    "alias": "west"
  }]},
  "module": {"m": {"source": "./m"}},
  "output": {"o": {"value": "${aws_vpc.a.id}"}},
  "locals": {
    "l": 1
  },
  "unknown": 3
}
"""


@pytest.mark.parametrize(
    ("address", "attribute", "expected"),
    [
        ("aws_vpc.a", None, "main.tf.json:5-14"),
        ("aws_vpc.a", "cidr", "main.tf.json:6-6"),
        ("aws_vpc.a", "tags.Name", "main.tf.json:8-8"),
        ("aws_vpc.a", "ingress[1].port", "main.tf.json:12-12"),
        ("aws_vpc.b", None, "main.tf.json:16-16"),
        ("provider.aws", None, "main.tf.json:20-20"),
        ("provider.aws.west", None, "main.tf.json:20-22"),
        ("module.m", None, "main.tf.json:23-23"),
        ("module.m.x.y", None, "main.tf.json:23 → m/x.tf.json:1-1"),
        ("output.o", "value", "main.tf.json:24-24"),
        ("local.l", None, "main.tf.json:26-26"),
    ],
)
def test_json_syntax_has_lines_too(
    write: Write, address: str, attribute: str | None, expected: str
) -> None:
    """A block in JSON stands at its opening brace, as Terraform says."""
    index = write({"main.tf.json": JSON, "m/x.tf.json": '{"resource": {"x": {"y": {}}}}'})
    assert place(index, address, attribute) == expected
    assert index.problems == ()


def test_declares_tells_no_from_not_known(write: Write) -> None:
    """What an unreadable or absent module declares is not known."""
    index = write(
        {
            "main.tf": 'module "a" {\n  source = "./a"\n}\nmodule "gone" {\n  source = "./no"\n}\n',
            "a/main.tf": 'resource "x" "y" {}\nresource "x" "z" {\n',
        }
    )
    assert index.declares("module.a.x.y") is True
    assert index.declares("module.a.x.w") is None
    assert index.declares("module.gone.x.y") is None
    assert index.declares("x.y") is False
    assert index.declares("module.b.x.y") is False


def test_disagreement_names_what_no_block_declares(write: Write) -> None:
    """Instances count as their block; an import block may stand for the resource it makes."""
    index = write(
        {
            "main.tf": """\
                resource "x" "y" {}
                module "a" {
                  source = "./a"
                }
                import {
                  to = module.a.x.imported["k"]
                  id = "1"
                }
                """,
            "a/main.tf": 'data "x" "z" {}\n',
        }
    )
    plan = ["x.y[1]", "x.y[0]", "module.a[0].data.x.z", 'module.a[0].x.imported["k"]']
    assert disagreement(index, plan) == []
    others = ["x.w[0]", "x.w[1]", "module.a[0].x.y", "module.b.x.y"]
    assert disagreement(index, [*plan, *others]) == ["module.a.x.y", "module.b.x.y", "x.w"]


def test_disagreement_says_nothing_where_it_cannot_know(write: Write) -> None:
    """A module whose source is not at hand may declare anything."""
    index = write({"main.tf": 'module "a" {\n  source = "registry/a/b"\n}\n'})
    assert disagreement(index, ["x.y"]) == []


SET = """\
resource "aws_security_group" "a" {
  ingress {
    from_port = 22
    self      = true
  }
  ingress {
    from_port = "443"
    name      = var.name
  }
  egress {}
  dynamic "egress" {}
}
"""


@pytest.mark.parametrize(
    ("name", "element", "line"),
    [
        ("ingress", {"from_port": 443, "name": "x", "self": None}, 6),
        ("ingress", {"from_port": 22, "self": True}, 2),
        ("ingress", {"from_port": 80, "self": True}, 2),  # none: the first, as without an element
        ("ingress", "no object", 2),
        ("egress", {}, 10),
        ("tags", {}, 1),
    ],
)
def test_an_element_finds_the_block_that_made_it(
    write: Write, name: str, element: object, line: int
) -> None:
    """What the blocks say tells, and not their number: a set is sorted by the provider."""
    found = write({"main.tf": SET}).locate_element("aws_security_group.a[0]", name, element)
    assert found is not None
    assert found.line == line


def test_blocks_that_are_alike_are_not_told_apart(write: Write) -> None:
    """Then it is the first, which is near."""
    twice = 'resource "a" "b" {\n  c {\n    d = 1\n  }\n  c {\n    d = 1\n  }\n}\n'
    found = write({"main.tf": twice}).locate_element("a.b", "c", {"d": 1})
    assert found is not None
    assert found.line == 2


def test_labels_of_nested_blocks_are_steps(write: Write) -> None:
    """As values have them: ``backend[0].s3.encrypt``."""
    text = 'terraform {\n  backend "s3" {\n    encrypt = true\n  }\n}\n'
    index = write({"main.tf": text})
    assert place(index, "terraform", "backend[0].s3.encrypt") == "main.tf:3-3"
    assert place(index, "terraform", "backend[0].gcs.encrypt") == "main.tf:2-4"
