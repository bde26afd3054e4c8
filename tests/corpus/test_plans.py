"""Every real plan of the corpus is read whole, or refused with one clear sentence."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tfgate.errors import PlanError
from tfgate.model.rule import Scope
from tfgate.plan import EVERYTHING, Plan, iter_subjects, read_plan
from tfgate.plan.reading import to_utf8

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tfgate.plan.change import Change

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
INDEX = CORPUS / "plans-index.json"

pytestmark = pytest.mark.skipif(not INDEX.exists(), reason=f"There is no corpus at {CORPUS}.")


def entries() -> list[dict[str, Any]]:
    """The index of the corpus; empty without one."""
    loaded: list[dict[str, Any]] = json.loads(INDEX.read_text()) if INDEX.exists() else []
    return loaded


_INFRACOST = "internal__providers__terraform__testdata__hcl_provider_test__"
REFUSED = {
    "test__fixtures__itest__plan-invalid-actions.json": "resource_changes[0].change.actions",
    "tests__data__plans__artificial__full.json": "format_version",
    # Made by hand, and by a tool that shows what it planned itself and what would not change:
    "pkg__ci__plugins__terraform__testdata__plan_json__success_no_changes.json": "aws_instance.web",
    "tests__functional__test_issue-132__plan.out.json": "aws_sagemaker_notebook_instance.foo",
    f"{_INFRACOST}builds_module_configuration_correctly_with_count__expected.json": (
        "module.gateway_test.module.gateway_proxy[0].aws_customer_gateway.example"
    ),
    f"{_INFRACOST}populates_warnings_on_missing_vars__expected.json": "aws_eip.eip",
    f"{_INFRACOST}shows_correct_duplicate_variable_warning__expected.json": "aws_instance.web_app",
    f"{_INFRACOST}structures_module_expressions_correctly_with_count__expected.json": (
        "module.module1.aws_ecs_service.ecs_service[0]"
    ),
}
"""The files that are no whole plan of Terraform, and what their refusal names."""

OWN_ADDRESSES = {
    "testdata__evals__aws-saas__plan.json",
    "testdata__evals__eks-production__plan.json",
    "demo__fixtures__plan-large.json",
    "testdata__aws__terraform-plan.json",
    "test__fixtures__iac__terraform-plan__tf-plan-create.json",
    "testdata__terraform-plans__tf-plan-create.json",
    *(f"TestData__azapi-{name}-demo.json" for name in
      ("mapped-resources", "mixed-mappings", "unmapped-resources")),
    "examples__azapi-create.json",
    "examples__azapi-update.json",
}  # fmt: skip
"""Files made or edited by hand: index or name is missing beside the address, or is another one."""


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry["file"])
def test_a_real_plan_is_read_or_refused(entry: dict[str, Any]) -> None:
    """All documents of all scopes can be made of it, and it has what the index says."""
    path = CORPUS / "plans" / entry["file"]
    if path.name in REFUSED:
        with pytest.raises(PlanError, match=re.escape(REFUSED[path.name])):
            read_plan(path.read_bytes(), name=path.name)
        return
    plan = read_plan(path.read_bytes(), name=path.name)
    assert len(plan.changes) == entry["n_resource_changes"]
    assert plan.terraform_version == entry["terraform_version"]
    exhaust(plan)


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry["file"])
def test_an_address_is_made_as_terraform_writes_it(entry: dict[str, Any]) -> None:
    """Of the other fields of an entry, where it lacks its own."""
    path = CORPUS / "plans" / entry["file"]
    if path.name in REFUSED or path.name in OWN_ADDRESSES:
        pytest.skip("it was not written by Terraform")
    data = to_utf8(path.read_bytes())
    plan, nameless = json.loads(data), json.loads(data)
    for section in ("resource_changes", "resource_drift"):
        for change in nameless.get(section) or ():
            del change["address"]
    for module in modules(nameless):
        for resource in module.get("resources") or ():
            del resource["address"]
    read = read_plan(json.dumps(nameless).encode())
    assert addresses(read.changes) == [one["address"] for one in plan.get("resource_changes") or ()]
    assert addresses(read.drift) == [one["address"] for one in plan.get("resource_drift") or ()]


def modules(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every module of the planned values."""
    stack = [(plan.get("planned_values") or {}).get("root_module") or {}]
    while stack:
        yield (module := stack.pop())
        stack += module.get("child_modules") or ()


def addresses(changes: Sequence[Change]) -> list[str]:
    """Their addresses."""
    return [change.address for change in changes]


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry["file"])
def test_a_plan_without_its_changes_is_refused(entry: dict[str, Any]) -> None:
    """As soon as it plans anything: the refusal names a resource that is planned."""
    path = CORPUS / "plans" / entry["file"]
    if path.name in REFUSED:
        pytest.skip("it is refused already")
    plan = json.loads(to_utf8(path.read_bytes()))
    plan.pop("resource_changes", None)
    planned = [r for module in modules(plan) for r in module.get("resources") or ()]
    if not planned:
        pytest.skip("nothing is planned in it")
    with pytest.raises(PlanError, match="not a whole plan") as caught:
        read_plan(json.dumps(plan).encode())
    assert any(f" {resource['address']} is planned" in str(caught.value) for resource in planned)


def exhaust(plan: Plan) -> None:
    """Make every document, plain and redacted, and answer every join."""
    for scope in Scope:
        for subject in iter_subjects(plan, scope):
            assert subject.document(EVERYTHING).keys() == subject.redacted(EVERYTHING).keys()
            plan.references(subject)
            plan.referenced_by(subject, "*")
            plan.configured(subject, "tags")
    assert sum(sum(kinds.values()) for kinds in plan.counts_by_type().values()) == len(plan.changes)
