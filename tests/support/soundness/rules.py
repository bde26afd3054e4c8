"""Rules for generated configurations, fixed ones and random ones, and what is true of some.

The truth about references is told by values: the id of a resource is random, so that whoever holds
it in an argument at last refers to that resource, and nobody else does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tests.support.query_grammar import Grammar

if TYPE_CHECKING:
    import random

Values = Mapping[str, Mapping[str, Any]]
"""Address → attributes, of every resource there is after the apply."""
Truth = Callable[[Values, str], bool]
"""Whether a rule holds on the resource at an address."""


class Rule(NamedTuple):
    """One rule of a generated ruleset."""

    id: str
    keys: Mapping[str, str]
    """``require`` or ``deny``, and perhaps ``when`` and ``scope``."""
    truth: Truth | None = None
    """Set where the values after the apply say whether it holds, whatever the engine thinks."""


HEADER: Final = """\
[ruleset]
id = "soundness"
version = "1.0.0"
title = "Rules of the test"
owners = ["tester@tfgate.example"]
"""
_SUBJECT: Final = "after.input.role == 'subject'"
_GUARD: Final = "after.input.role == 'guard'"
_GUARDS: Final = "referenced_by('terraform_data')[?after.input.role == 'guard']"

_SUBJECTS: Final = "references('triggers_replace')[?after.input.role == 'subject']"
_FELLOWS: Final = (
    f"({_SUBJECTS}.referenced_by('terraform_data', @)[] | [?after.input.role == 'guard'])"
)
"""The guards of the subjects that a guard names, itself among them."""


def _subjects(values: Values, address: str) -> list[Mapping[str, Any]]:
    """List the subjects that a guard names."""
    return [values[one] for one in _named(values, address) if _role(values[one]) == "subject"]


def _fellows(values: Values, address: str) -> list[Mapping[str, Any]]:
    """List the guards of the subjects that a guard names."""
    named = [one for one in _named(values, address) if _role(values[one]) == "subject"]
    return [guard for one in named for guard in _guards(values, one)]


def _guards(values: Values, address: str) -> list[Mapping[str, Any]]:
    """List the guards that hold the id of the resource."""
    name = values[address]["id"]
    return [
        one
        for one in values.values()
        if _role(one) == "guard" and name in json.dumps(one.get("triggers_replace"))
    ]


def _named(values: Values, address: str) -> set[str]:
    """List the addresses of the resources whose id the resource holds in ``triggers_replace``."""
    held = json.dumps(values[address].get("triggers_replace"))
    return {other for other, one in values.items() if one["id"] in held}


def _role(values: Mapping[str, Any]) -> Any:
    given = values.get("input")
    return given.get("role") if isinstance(given, dict) else None


def _names_a_subject(values: Values, address: str) -> bool:
    return any(".s" in name and ".seed" not in name for name in _named(values, address))


FIXED: Final = (
    Rule("GUARDED", {"when": _SUBJECT, "require": _GUARDS}, lambda v, a: bool(_guards(v, a))),
    Rule("ALONE", {"when": _SUBJECT, "deny": _GUARDS}, lambda v, a: not _guards(v, a)),
    Rule(
        "GUARDED-ON",
        {"when": _SUBJECT, "require": f"any({_GUARDS}, &after.input.on)"},
        lambda v, a: any(one["input"]["on"] is True for one in _guards(v, a)),
    ),
    Rule(
        "GUARDS-ALL-ON",
        {"when": _SUBJECT, "require": f"all({_GUARDS}, &after.input.on == `true`)"},
        lambda v, a: all(one["input"]["on"] is True for one in _guards(v, a)),
    ),
    Rule(
        "ONE-GUARD",
        {"when": _SUBJECT, "require": f"length({_GUARDS}) == `1`"},
        lambda v, a: len(_guards(v, a)) == 1,
    ),
    Rule(
        "FEW-GUARDS",
        {"when": _SUBJECT, "require": f"length({_GUARDS}) <= `1`"},
        lambda v, a: len(_guards(v, a)) <= 1,
    ),
    Rule(
        "NAMES-SUBJECT",
        {
            "when": _GUARD,
            "require": "any(references('triggers_replace'), &matches(address, '[.]s[0-9]'))",
        },
        _names_a_subject,
    ),
    Rule(
        "NAMES-NO-SUBJECT",
        {"when": _GUARD, "deny": "references('triggers_replace')[?matches(address, '[.]s[0-9]')]"},
        lambda v, a: not _names_a_subject(v, a),
    ),
    Rule(
        "NAMES-FIRST",
        {
            "when": _GUARD,
            "require": "references('triggers_replace')[?starts_with(address, 'terraform_data.s0')]",
        },
        lambda v, a: any(name.startswith("terraform_data.s0") for name in _named(v, a)),
    ),
    Rule(
        "NAMES-ON",
        {"when": _GUARD, "require": f"{_SUBJECTS} | [?after.input.on == `true`]"},
        lambda v, a: any(one["input"].get("on") is True for one in _subjects(v, a)),
    ),
    Rule(
        "NAMES-ALL-ON",
        {"when": _GUARD, "require": f"all({_SUBJECTS}, &after.input.on == `true`)"},
        lambda v, a: all(one["input"].get("on") is True for one in _subjects(v, a)),
    ),
    Rule(
        "GUARDS-NAME-IT",
        {
            "when": _SUBJECT,
            "require": f"{_GUARDS}.references('triggers_replace', @)[] | [?address == $.address]",
        },
        lambda v, a: bool(_guards(v, a)),
    ),
    Rule(
        "SHARED",
        {"when": _GUARD, "require": f"{_FELLOWS}[?address != $.address]"},
        lambda v, a: any(one["id"] != v[a]["id"] for one in _fellows(v, a)),
    ),
    Rule(
        "NOT-SHARED",
        {"when": _GUARD, "deny": f"{_FELLOWS}[?address != $.address]"},
        lambda v, a: all(one["id"] == v[a]["id"] for one in _fellows(v, a)),
    ),
    Rule(
        "FELLOWS-ON",
        {"when": _GUARD, "require": f"all({_FELLOWS}, &after.input.on == `true`)"},
        lambda v, a: all(one["input"].get("on") is True for one in _fellows(v, a)),
    ),
    Rule(
        "CERTAIN",
        {
            "when": f"{_GUARD} && references('triggers_replace')[?certain]",
            "require": "references('triggers_replace')",
        },
    ),
    Rule("HOPS", {"deny": "references()[].references(null, @)[].references(null, @)[] | [?@]"}),
    Rule("NAMES-ANY", {"when": _GUARD, "require": "length(references()) > `1`"}),
    Rule("TRIGGERED", {"require": "configured('triggers_replace')"}),
    Rule("TRIGGER", {"when": _GUARD, "require": "after.triggers_replace"}),
    Rule("PLAIN-TRIGGER", {"when": _GUARD, "deny": "type(after.triggers_replace) != 'string'"}),
    Rule("ON", {"when": _SUBJECT, "require": "after.input.on"}),
    Rule("OUT", {"deny": "after.output.on == `false`"}),
    Rule("SAME", {"require": "after.output == after.input"}),
    Rule("NO-RED", {"deny": "after.output == 'red'"}),
    Rule("LONG-ID", {"require": "length(after.id) > `20`"}),
    Rule("GUARDS-AGREE", {"when": _SUBJECT, "require": f"all({_GUARDS}, &after.output.a == `1`)"}),
)
"""Rules on references and values."""


def random_rules(chance: random.Random, number: int = 8) -> Iterator[Rule]:
    """Make rules on what subjects, guards and outputs hold; some do not load, or always err."""
    grammar = Grammar(chance.choice, extra=True)
    for count in range(number):
        place = chance.choice(("after.input", "after.input", "after.output", "guards", "outputs"))
        verb = chance.choice(("require", "deny"))
        deciding = grammar.expression(2)
        keys = {verb: f"{place} | {deciding}"}
        if place == "guards":
            keys = {
                "when": _SUBJECT,
                verb: f"{chance.choice(('any', 'all', 'none'))}({_GUARDS}, &after.input.{deciding})"
                if deciding[0].isalpha()
                else f"{_GUARDS}[].after.input | {deciding}",
            }
        elif place == "outputs":
            keys = {"scope": "output", verb: f"after | {deciding}"}
        elif chance.random() < 0.3:
            keys["when"] = f"after.input | {grammar.expression(1)}"
        yield Rule(f"RANDOM-{count}", keys)


def rule_text(rule: Rule) -> str:
    """Write the rule as a table of a ruleset in one file."""
    keys = "".join(f"{key} = {json.dumps(value)}\n" for key, value in rule.keys.items())
    return (
        f'\n[[rules]]\nid = "{rule.id}"\ntitle = "{rule.id}"\nseverity = "low"\n'
        f'enforcement = "soft-mandatory"\nmessage = "{{address}}: {rule.id}"\n{keys}'
    )
