"""Drafts a rule for an author, and says where its file belongs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tfgate.app.inputs import read_plan_input
from tfgate.app.scaffold import check_rule, draft_rule, rule_text, subject_of_plan
from tfgate.app.schema_index import open_schemas
from tfgate.errors import UsageError
from tfgate.plan import read_plan
from tfgate.ruleset.loader import MANIFEST
from tfgate.schema import Catalog, load_indexes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tfgate.schema import Block


def new_rule(
    cwd: Path,
    env: Mapping[str, str],
    *,
    kind: str | None = None,
    attribute: str | None = None,
    rule_id: str | None = None,
    plan: str | None = None,
    address: str | None = None,
    schemas: Sequence[str] = (),
) -> str:
    """Give the text of a rule file whose examples hold.

    From the schema of the type ``kind``, or from the resource at ``address`` of ``plan``. Raises
    ``UsageError`` and ``PlanError``.
    """
    subject = None
    if plan is not None:
        if address is None:
            raise UsageError("--from needs --address: which resource of the plan it is.")
        given = read_plan_input(plan, env=env, cwd=cwd)
        subject = subject_of_plan(read_plan(given.data, name=given.name), address)
        kind = subject.type
    if kind is None:
        raise UsageError("Say for which resources the rule is.", hint="Give --type, or --from.")
    found = [index for schema in schemas for index in open_schemas(cwd / schema, env)]
    catalog = Catalog([*found, *load_indexes(env)])
    is_data = subject is not None and subject.mode == "data"
    block = _block(catalog, kind, data=is_data, has_plan=subject is not None)
    text = rule_text(draft_rule(kind, block, attribute, subject), rule_id)
    check_rule(text)
    return text


def _block(catalog: Catalog, kind: str, *, data: bool, has_plan: bool) -> Block | None:
    block = catalog.get(kind, data=data)
    if block is None and not has_plan:
        near = catalog.nearest(kind)
        hint = f"Did you mean {near}?" if near else "Give --schema, or --from a plan."
        raise UsageError(f"No schema at hand has a type {kind}.", hint=hint)
    return block


def file_for(text: str, folder: Path) -> Path | None:
    """Give the file that a rule belongs in, ``None`` where ``folder`` is no ruleset."""
    if not (folder / MANIFEST).is_file():
        return None
    found = re.match(r'id = "([^"]+)"', text)
    name = found.group(1).lower() if found else "new-rule"
    return folder / "rules" / f"{name}.toml"
