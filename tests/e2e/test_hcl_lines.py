"""Lines are those that Terraform itself reports in its diagnostics."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.machine import terraform_env
from tests.support.parts import require_part
from tfgate.hcl.index import SourceIndex

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.terraform

REFERENCES = {
    "main.tf": """\
/* a comment
   } */
variable "set" {}
locals {
  text = <<-EOT
    resource "terraform_data" "fake" {
      input = "${"}"}"
    }
  EOT
}

resource "terraform_data" "a" { # {
  input = {
    x = "é } \\" $${"
    y = local.missing_1
  }
  triggers_replace = [
    1,

    local.missing_2,
  ]
  lifecycle {
    precondition {
      condition     = var.set
      error_message = "x"
    }
    precondition {
      condition     = local.missing_3
      error_message = "x"
    }
  }
}

resource "terraform_data" "u" { unexpected_4 = 1 }

output "o" {
  value = local.missing_5
}

module "m" {
  source   = "./m"
  for_each = { a = 1 }
  given    = local.missing_6
}

check "c" {
  assert {
    condition     = local.missing_7
    error_message = "x"
  }
}
""",
    "m/main.tf": """\
variable "given" {}
resource "terraform_data" "b" {
  count = 2

  input = [for one in ["a"] : local.missing_8]
}
""",
    "j.tf.json": """\
{
  "resource": {
    "terraform_data": {
      "j": {
        "input":
          "${local.missing_9}"
      }
    }
  }
}
""",
}
WHERE = {
    1: ("terraform_data.a", "input.y"),
    2: ("terraform_data.a", "triggers_replace[1]"),
    3: ("terraform_data.a", "lifecycle.precondition[1].condition"),
    4: ("terraform_data.u", "unexpected_4"),
    5: ("output.o", "value"),
    6: ('module.m["a"]', "given"),
    7: ("check.c", "assert.condition"),
    8: ('module.m["a"].terraform_data.b[1]', "input"),
}
"""Number of the mistake → where it was made."""

HEADERS = """\
# x
output "o" {
  sensitive = true
}
variable "v" {
  unexpected = 1
}
resource "terraform_data" "a" "b" {
}
provider "terraform" {
  alias = local.x
}
module "m" {
}
moved {
}
check "c" {
}
import {
}
"""


def diagnostics(directory: Path, home: Path) -> list[dict[str, Any]]:
    """Let Terraform validate ``directory``, and give what it has to say."""
    require_part("terraform")
    env = terraform_env(home)
    subprocess.run(
        ["terraform", "init", "-backend=false"], cwd=directory, env=env, capture_output=True
    )
    told = subprocess.run(
        ["terraform", "validate", "-json"], cwd=directory, env=env, capture_output=True
    )
    found: list[dict[str, Any]] = json.loads(told.stdout)["diagnostics"]
    return found


def write(directory: Path, files: dict[str, str], ends: str) -> None:
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.replace("\n", ends).encode())


@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_arguments_are_where_terraform_says(tmp_path: Path, ends: str) -> None:
    """In nested blocks, objects, tuples, modules; with either end of line."""
    directory = tmp_path / "root"
    write(directory, REFERENCES, ends)
    truth = {}
    for one in diagnostics(directory, tmp_path):
        number = re.search(r"missing_(\d)|unexpected_(\d)", json.dumps(one))
        assert number is not None, one
        where = one["range"]
        truth[int(number[1] or number[2])] = (where["filename"], where["start"]["line"])
    index = SourceIndex.build(directory)
    found = {}
    for number, (address, attribute) in WHERE.items():
        place = index.locate(address, attribute)
        assert place is not None
        found[number] = (place.file, place.line)
    assert truth.keys() >= WHERE.keys()
    assert found == {number: truth[number] for number in WHERE}
    chain = index.locate(WHERE[8][0])
    assert chain is not None
    assert [str(call) for call in chain.calls] == ["main.tf:40"]


def test_blocks_are_where_terraform_says(tmp_path: Path) -> None:
    """A mistake in a header, or something missing from a block, is reported at its first line."""
    directory = tmp_path / "root"
    write(directory, {"main.tf": HEADERS}, "\n")
    truth = {
        one["range"]["start"]["line"]
        for one in diagnostics(directory, tmp_path)
        if one.get("range", {}).get("filename") == "main.tf"
    }
    index = SourceIndex.build(directory)
    addresses = ["output.o", "module.m", "check.c"]
    places = [index.locate(address) for address in addresses]
    assert {place.line for place in places if place is not None} <= truth
    assert [place.line for place in places if place is not None] == [2, 13, 17]


def test_json_blocks_are_where_terraform_says(tmp_path: Path) -> None:
    """The value of a property is where Terraform points; the property's name may be above it."""
    directory = tmp_path / "root"
    write(directory, {"j.tf.json": REFERENCES["j.tf.json"]}, "\n")
    (one,) = diagnostics(directory, tmp_path)
    place = SourceIndex.build(directory).locate("terraform_data.j", "input")
    assert place is not None
    assert place.line <= one["range"]["start"]["line"] <= (place.end_line or 0)
