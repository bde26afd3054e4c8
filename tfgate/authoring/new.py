"""``tfgate rules new``: draft a rule on one attribute, with examples that prove it.

What the rule asks depends on the attribute's type and on the value that is wanted. A resource of a
plan shows which attributes there are and what they hold today, which is never taken for what is
wanted. The examples have what the rule reads, and no more.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
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

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_PLAIN = {"tags", "tags_all", "id", "arn", "region", "name", "name_prefix", "timeouts"}
_LIKELY = ("encrypt", "protect", "public", "log", "enable", "secur", "version", "rotation")
_UNSAFE = ("public", "disable", "skip", "insecure", "force_destroy", "wildcard")
"""In the name of a switch that is better off."""
_NAMES = 40
"""Attributes that are listed where one is asked for."""
_SHOWN = 200
"""Characters of a value that is shown there."""
_HEADER = """\
[ruleset]
id = "new"
version = "0.1.0"
title = "New"
owners = ["nobody"]
"""


class Subject(NamedTuple):
    """The resource that the examples are of."""

    type: str
    mode: str = "managed"
    names: tuple[str, ...] = ()
    """All attributes that the plan shows, with or without a value."""
    after: dict[str, Any] = {}  # noqa: RUF012 - nobody writes to it
    """What the plan shows that is known and no secret."""
    sensitive: tuple[str, ...] = ()
    """Attributes whose value is not shown."""


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
    more: tuple[Any, ...] = ()
    """Further values with which it passes."""
    exact: bool = False
    """Whether it passes with the good value alone."""

    def shows(self, value: Any) -> bool:
        """Whether a value of a plan is one with which the rule fails, and short enough to show."""
        if not self.exact or type(value) is not type(self.bad) or value == self.good:
            return False
        return len(json.dumps(value)) <= _SHOWN


def draft_rule(
    block: Block | None, attribute: str | None, subject: Subject, want: str | None = None
) -> Draft:
    """Draft a rule on an attribute of a type, or on an attribute that is likely to matter.

    ``block`` is the type's schema, where it is known; ``want`` is the value that the rule asks for.
    Raises ``UsageError`` where there is nothing to ask, or where the value does not fit.
    """
    known = {*(block.names if block else ()), *subject.names}
    if attribute is None:
        attribute = _likely(block, subject.after, known)
    elif known and attribute not in known:
        raise UsageError(f"{subject.type} has no attribute {attribute}{suggest(attribute, known)}.")
    value = subject.after.get(attribute)
    constraint = _type(block, attribute, subject.after)
    wanted = None if want is None else _wanted(attribute, constraint, want)
    draft = _draft(attribute, constraint, wanted)
    if draft.shows(value):
        return draft._replace(bad=value)
    return draft


def _wanted(name: str, constraint: Any, want: str) -> Any:
    """Read the wanted value as one of the attribute's type; of a list, one of its elements."""
    kind = constraint if isinstance(constraint, str) else constraint[0]
    try:
        value = json.loads(want)
    except ValueError:
        value = want
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if (kind == "bool" and not isinstance(value, bool)) or (kind == "number" and not is_number):
        words = "true or false" if kind == "bool" else "a number"
        raise UsageError(f"--want: {name} is {words}, and {want!r} is not.")
    if kind not in {"bool", "number"} and not isinstance(value, (str, list)):
        return want
    return value


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


def _draft(name: str, constraint: Any, want: Any) -> Draft:
    path = f"after.{name}" if _PLAIN_NAME.fullmatch(name) else f"after.{json.dumps(name)}"
    kind = constraint if isinstance(constraint, str) else constraint[0]
    if kind == "bool":
        good = want if want is not None else not any(word in name for word in _UNSAFE)
        asked = json.dumps(good)
        need = f"{path} == `{asked}`"
        return Draft(name, need, good, not good, f"sets {name} to {asked}", exact=True)
    if kind == "number" and want is not None:
        return Draft(name, f"{path} == `{json.dumps(want)}`", want, want - 1,
                     f"sets {name} to {json.dumps(want)}", exact=True)  # fmt: skip
    if kind in {"list", "set"} and constraint[1] == "string" and isinstance(want, str):
        need = f"contains({path} || `[]`, {_literal(want)})"
        return Draft(name, need, [want], [f"not-{want}"], f"has {want} in {name}")
    if kind == "map" and isinstance(want, str):
        step = want if _PLAIN_NAME.fullmatch(want) else json.dumps(want)
        return Draft(name, f"{path}.{step}", {want: "example"}, {}, f"has {want} in {name}")
    if kind == "string" and isinstance(want, list) and all(isinstance(w, str) for w in want):
        listed = ", ".join(want)
        need = f"contains(`{json.dumps(want)}`, {path})"
        return Draft(name, need, want[0] if want else "", f"not-{want[0] if want else ''}",
                     f"sets {name} to one of {listed}", tuple(want[1:]))  # fmt: skip
    if kind == "string" and want is not None:
        good = str(want)
        return Draft(name, f"{path} == {_literal(good)}", good, f"not-{good}",
                     f"sets {name} to {good}", exact=True)  # fmt: skip
    if want is not None:
        raise UsageError(
            f"--want: {name} is no single value that a drafted rule could ask for.",
            hint="Leave --want out for a rule that asks for the attribute alone.",
        )
    return _asks_for_any(name, path, kind, constraint)


def _asks_for_any(name: str, path: str, kind: str, constraint: Any) -> Draft:
    """Draft a rule that asks for the attribute, whatever its value is."""
    if kind == "number":
        return Draft(name, f"{path} != `null`", 1, None, f"sets {name}")
    if kind == "string":
        return Draft(name, path, "example", None, f"sets {name}")
    if kind == "blocks":
        return Draft(name, path, [constraint[1] or {}], [], f"has {name}")
    sample = _sample(constraint)
    empty: Any = {} if kind == "map" else []
    return Draft(name, path, sample or [{"example": "example"}], empty, f"has {name}")


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
    known: dict[str, Any] = {}
    sensitive = []
    for name, value in values.items():
        marks: list[bool] = []
        plain = _plain(value, marks)
        if True in marks:
            sensitive.append(name)
        elif not marks:
            known[name] = plain
    return Subject(change.type, change.mode, tuple(values), known, tuple(sensitive))


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
    bad = {} if draft.bad is None else {name: draft.bad}
    lines += _example(subject, draft, f"{name} as it should be", "pass", {name: draft.good})
    for value in draft.more:
        lines += _example(subject, draft, f"{name} may be {value}", "pass", {name: value})
    lines += _example(subject, draft, f"{name} as it should not be", "fail", bad)
    if draft.bad:
        lines += _example(subject, draft, f"{name} left out", "fail", {})
    lines += _example(subject, draft, f"{name} known only after the apply", "unknown", {})
    other = subject._replace(type="other_type")
    lines += _example(other, draft, "a resource of another type is left alone", "skip", bad)
    return "\n".join(lines) + "\n"


def _example(
    subject: Subject, draft: Draft, name: str, expect: str, after: Mapping[str, Any]
) -> Iterator[str]:
    change: dict[str, Any] = {"type": subject.type}
    if subject.mode != "managed":
        change |= {"mode": subject.mode, "actions": ["read"]}
    yield from ("", "[[tests]]", f"name = {text(name)}", f"expect = {text(expect)}")
    yield f"change = {inline({**change, 'after': after})}"
    if expect == "unknown":
        yield f"unknown = {inline([draft.attribute])}"
    elif draft.attribute in subject.sensitive and after and expect != "skip":
        yield f"sensitive = {inline([draft.attribute])}"


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
    want: str | None = None,
    schemas: Sequence[str] = (),
    ask: Ask | None = None,
) -> str:
    """Return the text of a rule file whose examples hold.

    From the schema of the type ``kind``, or from the resource at ``address`` of ``plan``. ``ask``
    asks somebody for the attribute and the wanted value, where they are not given. Raises
    ``UsageError`` and ``PlanError``.
    """
    subject = None
    if plan is not None:
        if address is None:
            raise UsageError(
                "--from needs the address of a resource of the plan.",
                hint="Give it as --address.",
            )
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
    subject = subject or Subject(kind)
    if ask is not None:
        drafted = draft_rule(block, attribute, subject, want)
        attribute, want = ask(subject, drafted, attribute, want)
    rule = rule_text(draft_rule(block, attribute, subject, want), subject, rule_id)
    check_rule(rule)
    return rule


def _words(words: tuple[str, ...], address: str | None) -> tuple[str | None, str | None]:
    """Tell the rule's id from a resource's address, which has a dot in it."""
    addresses = [word for word in words if "." in word]
    ids = [word for word in words if "." not in word]
    if len(ids) > 1 or len(addresses) + (address is not None) > 1:
        raise UsageError("One ID and one ADDRESS are enough: a rule is on one attribute.")
    return next(iter(ids), None), next(iter(addresses), address)


Ask = Callable[[Subject, Draft, "str | None", "str | None"], "tuple[str | None, str | None]"]
"""Asks for an attribute and a value, of a subject, what would be drafted, and what is given."""


def _ask(
    subject: Subject, draft: Draft, attribute: str | None, want: str | None
) -> tuple[str | None, str | None]:
    """Ask at a terminal: the value at hand is shown, and is no answer by itself."""
    if attribute is None:
        names = ", ".join(sorted(subject.after)[:_NAMES]) or "see the provider's documentation"
        click.echo(f"Attributes of {console(subject.type)}: {console(names)}", err=True)
        attribute = str(click.prompt("Which attribute is the rule on?", draft.attribute, err=True))
    if want is None:
        held = "a secret" if attribute in subject.sensitive else "not set or not known"
        if subject.after.get(attribute) is not None:
            held = json.dumps(subject.after[attribute], ensure_ascii=False)[:_SHOWN]
        click.echo(f"{console(attribute)} is {console(held)} in the plan.", err=True)
        answer = click.prompt(
            "Which value is wanted? (empty: any)", "", show_default=False, err=True
        )
        want = str(answer) or None
    return attribute, want


@click.command(
    epilog="Example: tfgate rules new --type aws_db_instance --attribute storage_encrypted"
)
@click.argument("words", nargs=-1, metavar="[ID] [ADDRESS]")
@click.option("--type", "kind", metavar="TYPE", help="Resource type that the rule is for.")
@click.option("--attribute", metavar="NAME",
              help="What it asks for (default: one that is likely to matter).")  # fmt: skip
@click.option("--want", metavar="VALUE",
              help="The value it asks for; a JSON list for one of several (default: true for a "
                   "switch, anything else for any).")  # fmt: skip
@click.option("--from", "plan", metavar="PLAN",
              help="Take type and attributes from a resource of a plan; asks for what is wanted, "
                   "at a terminal.")  # fmt: skip
@click.option("--address", metavar="ADDRESS", help="The resource of the plan.")
@click.option("--schema", "schemas", multiple=True, metavar="FILE|DIR",
              help="A provider's schema, as for lint.")  # fmt: skip
@click.option("--out", metavar="FILE", type=click.Path(path_type=Path),
              help="Where to write. Default: rules/ID.toml in the ruleset here, else standard "
                   "output.")  # fmt: skip
def new(words: tuple[str, ...], out: Path | None, **options: Any) -> None:
    """Write a rule with an example that passes, one that fails and one that is unknown.

    It loads, and its examples hold: change it from there.
    """
    rule_id, options["address"] = _words(words, options["address"])
    ask = _ask if options["plan"] is not None and sys.stdin.isatty() else None
    rule = new_rule(Path.cwd(), os.environ, rule_id=rule_id, ask=ask, **options)
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
