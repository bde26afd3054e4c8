"""A drafted rule as a file, proven before it is written."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tfgate.audit.scratch import scratch
from tfgate.authoring.draft import Draft, draft_rule, subject_of_plan
from tfgate.authoring.schema import open_schemas
from tfgate.command.output import write_out
from tfgate.engine.functions import rule_functions
from tfgate.errors import TfgateError, UsageError
from tfgate.examples.run import run_examples
from tfgate.gate.inputs import read_plan_input
from tfgate.plan import read_plan
from tfgate.report.escape import console
from tfgate.ruleset import load_ruleset
from tfgate.ruleset.sources import MANIFEST
from tfgate.ruleset.toml_text import expression, inline
from tfgate.ruleset.toml_text import toml_string as text
from tfgate.schema import Block, Catalog, load_indexes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


_HEADER = """\
[ruleset]
id = "new"
version = "0.1.0"
title = "New"
owners = ["nobody"]
"""


def rule_text(draft: Draft, rule_id: str | None = None) -> str:
    """Write a rule file: the rule, and an example of each outcome."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", f"{draft.type}-{draft.attribute}").strip("-").upper()
    lines = [
        f"id = {text(rule_id or words[:100])}",
        f"title = {text(f'{_noun(draft.type)} {draft.demand}'[:300])}",
        'severity = "medium"',
        'enforcement = "advisory"  # soft-mandatory or hard-mandatory once it has proven itself',
        f"description = {text('Why this must hold: what goes wrong without it.')}",
        f"remediation = {text(f'Set {draft.attribute} so that the resource {draft.demand}.')}",
        f"match.types = [{text(draft.type)}]",
    ]
    if draft.mode != "managed":
        lines.append(f"match.modes = [{text(draft.mode)}]")
        lines.append('match.actions = ["read"]')
    lines += [
        f"require = {expression(draft.require)}",
        f"message = {text(f'{{address}} must be one that {_escaped(draft.demand)}')}",
    ]
    return "\n".join([*lines, *_examples(draft)]) + "\n"


def _escaped(words: str) -> str:
    return words.replace("{", "{{").replace("}", "}}")


def _noun(kind: str) -> str:
    return f"Every {kind}"


def _examples(draft: Draft) -> Iterator[str]:
    name = draft.attribute
    good = {**draft.others, name: draft.good}
    bad = dict(draft.others) if draft.bad is None else {**draft.others, name: draft.bad}
    yield from _example(draft, f"{name} as it should be", "pass", good)
    yield from _example(draft, f"{name} as it should not be", "fail", bad)
    yield from _example(
        draft, f"{name} known only after the apply", "unknown", draft.others, (name,)
    )


def _example(
    draft: Draft, name: str, expect: str, after: dict[str, Any], unknown: tuple[str, ...] = ()
) -> Iterator[str]:
    change: dict[str, Any] = {"type": draft.type}
    if draft.name != "example":
        change["name"] = draft.name
    if draft.mode != "managed":
        change["mode"] = draft.mode
        change["actions"] = ["read"]
    yield ""
    yield "[[tests]]"
    yield f"name = {text(name)}"
    yield f"expect = {text(expect)}"
    yield f"change = {inline({**change, 'after': after})}"
    unknowns = [path for path in (*draft.unknown, *unknown) if _is_path(path)]
    if unknowns:
        yield f"unknown = {inline(unknowns)}"
    sensitive = [path for path in draft.sensitive if _is_path(path)]
    if sensitive:
        yield f"sensitive = {inline(sensitive)}"


def _is_path(name: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9_:/ -]+", name) is not None


def check_rule(rule: str) -> None:
    """Load a rule and run its examples. Raises ``TfgateError`` where one does not hold."""
    with scratch() as folder:
        (folder / "rules").mkdir()
        (folder / "ruleset.toml").write_text(_HEADER, encoding="utf-8")
        (folder / "rules" / "rule.toml").write_text(rule, encoding="utf-8")
        ruleset = load_ruleset(str(folder), functions=rule_functions())
        failed = [result for result in run_examples(ruleset) if not result.passed]
    if failed:
        wrong = failed[0]
        raise TfgateError(
            f"No rule can be drafted of these values: the example {wrong.example!r} gives "
            f"{wrong.got}, not {wrong.expected}.",
            hint="Name another attribute with --attribute.",
        )


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
    """Return the text of a rule file whose examples hold.

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
    """Return the file that a rule belongs in, ``None`` where ``folder`` is no ruleset."""
    if not (folder / MANIFEST).is_file():
        return None
    found = re.match(r'id = "([^"]+)"', text)
    name = found.group(1).lower() if found else "new-rule"
    return folder / "rules" / f"{name}.toml"


@click.command(
    epilog="Example: tfgate rules new --type aws_db_instance --attribute storage_encrypted"
)
@click.argument("rule_id", required=False, metavar="[ID]")
@click.option("--type", "kind", metavar="TYPE", help="Resource type that the rule is for.")
@click.option("--attribute", metavar="NAME",
              help="What it asks for (default: one that looks as if it mattered).")  # fmt: skip
@click.option("--from", "plan", metavar="PLAN",
              help="Take type and values out of a plan, without its secrets.")  # fmt: skip
@click.option("--address", metavar="ADDRESS", help="The resource of the plan.")
@click.option("--schema", "schemas", multiple=True, metavar="FILE|DIR",
              help="A provider's schema, as for lint.")  # fmt: skip
@click.option("--out", metavar="FILE", type=click.Path(path_type=Path),
              help="Where to write. Default: rules/ID.toml in the ruleset here, else standard "
                   "output.")  # fmt: skip
def new(
    rule_id: str | None,
    kind: str | None,
    attribute: str | None,
    plan: str | None,
    address: str | None,
    schemas: tuple[str, ...],
    out: Path | None,
) -> None:
    """Write a rule with an example that passes, one that fails and one that is unknown.

    It loads, and its examples hold: change it from there.
    """
    text = new_rule(
        Path.cwd(),
        os.environ,
        kind=kind,
        attribute=attribute,
        rule_id=rule_id,
        plan=plan,
        address=address,
        schemas=schemas,
    )
    path = out or file_for(text, Path.cwd())
    if path is None:
        write_out(text)
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{path} is there already.", hint="Give another ID, or --out.") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None
    write_out(f"{console(str(path))}\n")
