"""Every real plan of the corpus is read whole, or refused with one clear sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tfgate.errors import PlanError
from tfgate.model.rule import Scope
from tfgate.plan import EVERYTHING, Plan, iter_subjects, read_plan

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
INDEX = CORPUS / "plans-index.json"

pytestmark = pytest.mark.skipif(not INDEX.exists(), reason=f"There is no corpus at {CORPUS}.")


def entries() -> list[dict[str, Any]]:
    """The index of the corpus; empty without one."""
    loaded: list[dict[str, Any]] = json.loads(INDEX.read_text()) if INDEX.exists() else []
    return loaded


REFUSED = {
    "test__fixtures__itest__plan-invalid-actions.json": "resource_changes[0].change.actions",
    "tests__data__plans__artificial__full.json": "format_version",
}
"""The plans that are wrong on purpose, and what is wrong with them."""


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry["file"])
def test_a_real_plan_is_read_or_refused(entry: dict[str, Any]) -> None:
    """All documents of all scopes can be made of it, and it has what the index says."""
    path = CORPUS / "plans" / entry["file"]
    if path.name in REFUSED:
        with pytest.raises(PlanError, match=REFUSED[path.name].replace("[", r"\[")):
            read_plan(path.read_bytes(), name=path.name)
        return
    plan = read_plan(path.read_bytes(), name=path.name)
    assert len(plan.changes) == entry["n_resource_changes"]
    assert plan.terraform_version == entry["terraform_version"]
    exhaust(plan)


def exhaust(plan: Plan) -> None:
    """Make every document, plain and redacted, and answer every join."""
    for scope in Scope:
        for subject in iter_subjects(plan, scope):
            assert subject.document(EVERYTHING).keys() == subject.redacted(EVERYTHING).keys()
            plan.references(subject)
            plan.referenced_by(subject, "*")
            plan.configured(subject, "tags")
    assert sum(sum(kinds.values()) for kinds in plan.counts_by_type().values()) == len(plan.changes)
