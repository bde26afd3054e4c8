"""A drafted rule as a file, proven before it is written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tfgate.app.examples import run_examples
from tfgate.app.scaffold.toml_text import expression, inline, text
from tfgate.audit.scratch import scratch
from tfgate.engine.functions import rule_functions
from tfgate.errors import TfgateError
from tfgate.ruleset import load_ruleset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.app.scaffold.draft import Draft

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
