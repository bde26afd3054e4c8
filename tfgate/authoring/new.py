"""``tfgate rules new``: draft a rule on one attribute, with examples that prove it.

What the rule asks depends on the attribute's type. The values of the examples come from the
provider's schema, or from a resource of a plan without its secrets.
"""

from __future__ import annotations

import json
import os
import re
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from tfgate.audit.scratch import scratch
from tfgate.authoring.schema import open_schemas
from tfgate.command.output import write_out
from tfgate.engine.functions import rule_functions
from tfgate.errors import TfgateError, UsageError
from tfgate.examples.run import run_examples
from tfgate.gate.inputs import read_plan_input
from tfgate.plan import Plan, read_plan
from tfgate.plan.reads import Reads
from tfgate.query.values import Maybe, Unknown
from tfgate.report.escape import console
from tfgate.ruleset import load_ruleset
from tfgate.ruleset.problems import suggest
from tfgate.ruleset.sources import MANIFEST
from tfgate.ruleset.toml_text import expression, inline
from tfgate.ruleset.toml_text import toml_string as text
from tfgate.schema import Block, Catalog, load_indexes
from tfgate.schema.index import COMPUTED, DEPRECATED, OPTIONAL, REQUIRED, WRITE_ONLY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_PLAIN = {"tags", "tags_all", "id", "arn", "region", "name", "name_prefix", "timeouts"}
_LIKELY = ("encrypt", "protect", "public", "log", "enable", "secur", "version", "rotation")
_PLACEHOLDER = "(sensitive)"
_MOST = 40
"""Attributes of an example; a resource may have hundreds."""
_HEADER = """\
[ruleset]
id = "new"
version = "0.1.0"
title = "New"
owners = ["nobody"]
"""


class Subject(NamedTuple):
    """What the examples say of their resource, besides the attribute that the rule asks for."""

    type: str
    mode: str = "managed"
    name: str = "example"
    names: tuple[str, ...] = ()
    """All attributes that the plan shows, with or without a value."""
    after: dict[str, Any] = {}  # noqa: RUF012 - nobody writes to it
    unknown: tuple[str, ...] = ()
    """Attributes that are known only after the apply."""
    sensitive: tuple[str, ...] = ()
    """Attributes whose value is not shown; a placeholder stands in `after`."""


class Draft(NamedTuple):
    """What a new rule asks of an attribute."""

    attribute: str
    require: str
    good: Any
    """A value with which the rule passes."""
    bad: Any
    """A value with which it fails; ``None`` for no value at all."""
    demand: str
    """What must hold, as the end of a sentence."""


def draft_rule(
    block: Block | None, attribute: str | None, subject: Subject
) -> tuple[Draft, Subject]:
    """Draft a rule on an attribute of a type, or on an attribute that is likely to matter.

    ``block`` is the type's schema, where it is known; ``subject`` may be a resource of a plan. The
    subject that is returned has the attributes of the examples. Raises ``UsageError`` where there
    is nothing to ask.
    """
    after = subject.after
    known = {*(block.names if block else ()), *subject.names}
    if attribute is None:
        attribute = _likely(block, after, known)
    elif known and attribute not in known:
        raise UsageError(f"{subject.type} has no attribute {attribute}{suggest(attribute, known)}.")
    others = {**_required(block), **after}
    others.pop(attribute, None)
    draft = _draft(attribute, _type(block, attribute, after), after.get(attribute))
    return draft, subject._replace(
        after=others,
        unknown=tuple(name for name in subject.unknown if name != attribute),
        sensitive=tuple(name for name in subject.sensitive if name in others),
    )


def _likely(block: Block | None, after: Mapping[str, Any], known: set[str]) -> str:
    """Choose an attribute: a switch whose name promises safety, else a switch, else any."""
    if block is None:
        candidates = sorted(set(after) - _PLAIN) or sorted(known - _PLAIN) or sorted(known)
        if not candidates:
            raise UsageError(
                "Name an attribute: there is no schema of this type to choose from.",
                hint="Give --attribute, or --schema.",
            )
        return min(candidates, key=lambda name: _rank(name, isinstance(after.get(name), bool)))
    settable = [
        (name, entry)
        for name, entry in block.attributes.items()
        if entry.flags & (OPTIONAL | REQUIRED)
        and not entry.flags & (DEPRECATED | WRITE_ONLY)
        and name not in _PLAIN
    ]
    if settable:
        return min(settable, key=lambda pair: _rank(pair[0], pair[1].type == "bool"))[0]
    names = [name for name in (*block.blocks, *block.attributes) if name not in _PLAIN]
    if not names:
        raise UsageError("The type has no attribute to ask for.")
    return names[0]


def _rank(name: str, is_bool: bool) -> tuple[bool, int, str]:
    likely = [number for number, word in enumerate(_LIKELY) if word in name]
    return not is_bool, likely[0] if likely else len(_LIKELY), name


def _type(block: Block | None, attribute: str, after: Mapping[str, Any]) -> Any:
    """Return the attribute's type constraint: from the schema, else from its value."""
    if block is not None and attribute in block.blocks:
        nested = block.blocks[attribute]
        return ["blocks", _required(nested.block)] if nested.mode in {"list", "set"} else "object"
    if block is not None and attribute in block.attributes:
        return block.attributes[attribute].type
    match after.get(attribute):
        case bool():
            return "bool"
        case int() | float():
            return "number"
        case list() as parts:
            return ["list", "string" if all(isinstance(part, str) for part in parts) else "dynamic"]
        case dict():
            return ["map", "string"]
    return "string"


def _draft(name: str, constraint: Any, value: Any) -> Draft:
    path = f"after.{name}" if name.isidentifier() else f"after.{json.dumps(name)}"
    kind = constraint if isinstance(constraint, str) else constraint[0]
    good: Any
    if kind == "bool":
        good = value if isinstance(value, bool) else True
        asked = json.dumps(good)
        return Draft(name, f"{path} == `{asked}`", good, not good, f"sets {name} to {asked}")
    if kind == "number":
        good = value if isinstance(value, (int, float)) else 1
        need = f"{path} >= `{json.dumps(good)}`"
        return Draft(name, need, good, good - 1, f"sets {name} to at least {good}")
    if kind in {"list", "set"} and constraint[1] == "string":
        asked = value[0] if isinstance(value, list) and value else "example"
        need = f"contains({path} || `[]`, {_literal(asked)})"
        return Draft(name, need, value or [asked], [f"not-{asked}"], f"has {asked} in {name}")
    if kind == "map":
        asked = next(iter(value), "Owner") if isinstance(value, dict) else "Owner"
        step = asked if asked.isidentifier() and asked.isascii() else json.dumps(asked)
        return Draft(name, f"{path}.{step}", value or {asked: "example"}, {},
                     f"has {asked} in {name}")  # fmt: skip
    if kind == "string":
        good = value if isinstance(value, str) and value else "example"
        need = f"{path} == {_literal(good)}"
        return Draft(name, need, good, f"not-{good}", f"sets {name} as it should be")
    good = value or ([constraint[1] or {}] if kind == "blocks" else [{"example": "example"}])
    return Draft(name, path, good, [] if kind == "blocks" else None, f"has {name}")


def _literal(value: str) -> str:
    """Write a string as JMESPath does."""
    if "'" in value or "\\" in value or not value.isprintable():
        return "`" + json.dumps(value).replace("`", "\\`") + "`"
    return f"'{value}'"


def _required(block: Block | None) -> dict[str, Any]:
    """Return values for what must be set, so that the examples look like the real thing."""
    return {
        name: value
        for name, entry in (block.attributes.items() if block else ())
        if entry.flags & REQUIRED and not entry.flags & COMPUTED
        and (value := _sample(entry.type)) is not None
    }  # fmt: skip


def _sample(constraint: Any) -> Any:
    if isinstance(constraint, str):
        return {"string": "example", "number": 1, "bool": True}.get(constraint)
    if constraint[0] in {"list", "set"} and isinstance(constraint[1], str):
        inner = _sample(constraint[1])
        return None if inner is None else [inner]
    return {"Name": "example"} if constraint == ["map", "string"] else None


def subject_of_plan(plan: Plan, address: str) -> Subject:
    """Return the resource at ``address``. Raises ``UsageError`` where the plan has none."""
    change = next((change for change in plan.changes if change.address == address), None)
    if change is None:
        near = get_close_matches(address, [change.address for change in plan.changes], n=1)
        hint = f"Did you mean {near[0]}?" if near else "See them with: tfgate review PLAN"
        raise UsageError(f"The plan changes nothing at {address}.", hint=hint)
    document = change.redacted(Reads.of([("after",), ("before",)]))
    sides = (document.get("after"), document.get("before"))
    values: dict[str, Any] = next((side for side in sides if isinstance(side, dict)), {})
    after: dict[str, Any] = {}
    unknown, sensitive = [], []
    for name, value in values.items():
        marks: list[bool] = []
        plain = _plain(value, marks)
        if isinstance(value, Unknown) and value.sensitive:
            sensitive.append(name)
            after[name] = _PLACEHOLDER
        elif True in marks:
            continue  # A part of it is secret: the whole is left out.
        elif False in marks:
            unknown.append(name)
        elif plain not in (None, [], {}) and len(after) < _MOST:
            after[name] = plain
    return Subject(change.type, change.mode, change.name, tuple(values), after,
                   tuple(unknown), tuple(sensitive))  # fmt: skip


def _plain(value: Any, marks: list[bool]) -> Any:
    """Return a value without unknowns; ``marks`` says of each whether it is sensitive."""
    if isinstance(value, Maybe):
        value = value.value
    if isinstance(value, Unknown):
        marks.append(value.sensitive)
        return None
    if isinstance(value, dict):
        return {name: _plain(part, marks) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part, marks) for part in value]
    return value


def rule_text(draft: Draft, subject: Subject, rule_id: str | None = None) -> str:
    """Write a rule file: the rule, and an example of each outcome."""
    kind, name, demand = subject.type, draft.attribute, draft.demand
    words = re.sub(r"[^A-Za-z0-9]+", "-", f"{kind}-{name}").strip("-").upper()
    escaped = demand.replace("{", "{{").replace("}", "}}")
    lines = [
        f"id = {text(rule_id or words[:100])}",
        f"title = {text(f'Every {kind} {demand}'[:300])}",
        'severity = "medium"',
        'enforcement = "advisory"  # soft-mandatory or hard-mandatory once it has proven itself',
        f"description = {text('Why this must hold: what goes wrong without it.')}",
        f"remediation = {text(f'Set {name} so that the resource {demand}.')}",
        f"match.types = [{text(kind)}]",
    ]
    if subject.mode != "managed":
        lines += [f"match.modes = [{text(subject.mode)}]", 'match.actions = ["read"]']
    lines += [
        f"require = {expression(draft.require)}",
        f"message = {text(f'{{address}} must be one that {escaped}')}",
    ]
    good = {**subject.after, name: draft.good}
    bad = subject.after if draft.bad is None else {**subject.after, name: draft.bad}
    lines += _example(subject, f"{name} as it should be", "pass", good)
    lines += _example(subject, f"{name} as it should not be", "fail", bad)
    marked = subject._replace(unknown=(*subject.unknown, name))
    lines += _example(marked, f"{name} known only after the apply", "unknown", subject.after)
    return "\n".join(lines) + "\n"


def _example(subject: Subject, name: str, expect: str, after: Mapping[str, Any]) -> Iterator[str]:
    change: dict[str, Any] = {"type": subject.type}
    if subject.name != "example":
        change["name"] = subject.name
    if subject.mode != "managed":
        change |= {"mode": subject.mode, "actions": ["read"]}
    yield from ("", "[[tests]]", f"name = {text(name)}", f"expect = {text(expect)}")
    yield f"change = {inline({**change, 'after': after})}"
    for key, names in (("unknown", subject.unknown), ("sensitive", subject.sensitive)):
        paths = [path for path in names if re.fullmatch(r"[A-Za-z0-9_:/ -]+", path)]
        if paths:
            yield f"{key} = {inline(paths)}"


def check_rule(rule: str) -> None:
    """Load a rule and run its examples. Raises ``TfgateError`` where one does not hold."""
    with scratch() as folder:
        (folder / "rules").mkdir()
        (folder / MANIFEST).write_text(_HEADER, encoding="utf-8")
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
    block = catalog.get(kind, data=subject is not None and subject.mode == "data")
    if block is None and subject is None:
        near = catalog.nearest(kind)
        hint = f"Did you mean {near}?" if near else "Give --schema, or --from a plan."
        raise UsageError(f"No schema at hand has a type {kind}.", hint=hint)
    rule = rule_text(*draft_rule(block, attribute, subject or Subject(kind)), rule_id)
    check_rule(rule)
    return rule


@click.command(
    epilog="Example: tfgate rules new --type aws_db_instance --attribute storage_encrypted"
)
@click.argument("rule_id", required=False, metavar="[ID]")
@click.option("--type", "kind", metavar="TYPE", help="Resource type that the rule is for.")
@click.option("--attribute", metavar="NAME",
              help="What it asks for (default: one that is likely to matter).")  # fmt: skip
@click.option("--from", "plan", metavar="PLAN",
              help="Take type and values from a plan, without its secrets.")  # fmt: skip
@click.option("--address", metavar="ADDRESS", help="The resource of the plan.")
@click.option("--schema", "schemas", multiple=True, metavar="FILE|DIR",
              help="A provider's schema, as for lint.")  # fmt: skip
@click.option("--out", metavar="FILE", type=click.Path(path_type=Path),
              help="Where to write. Default: rules/ID.toml in the ruleset here, else standard "
                   "output.")  # fmt: skip
def new(rule_id: str | None, out: Path | None, **options: Any) -> None:
    """Write a rule with an example that passes, one that fails and one that is unknown.

    It loads, and its examples hold: change it from there.
    """
    rule = new_rule(Path.cwd(), os.environ, rule_id=rule_id, **options)
    path = out
    if path is None and Path(MANIFEST).is_file():
        found = re.match(r'id = "([^"]+)"', rule)
        path = Path.cwd() / "rules" / f"{found[1].lower() if found else 'new-rule'}.toml"
    if path is None:
        write_out(rule)
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(rule)
    except FileExistsError:
        raise UsageError(f"{path} is there already.", hint="Give another ID, or --out.") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None
    write_out(f"{console(str(path))}\n")
