"""What the engine says of a plan with unknown values holds whatever they become."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import assume, given
from hypothesis import strategies as st

from tests.support.plans import change, context, plan, rule, ruleset
from tests.support.query_grammar import SMALL, Grammar, literals_of
from tfgate.engine.evaluate import evaluate
from tfgate.errors import RulesetError
from tfgate.query import Unknown

if TYPE_CHECKING:
    from tfgate.ruleset import Ruleset

HOLDS = {
    "pass": {"pass", "skip"},
    "skip": {"skip"},
    "fail": {"fail", "error"},
    "error": {"fail", "error"},
}
"""What every completion of a plan with this outcome must come to: ``unknown`` promises nothing."""


def split(value: Any) -> tuple[Any, Any]:
    """Return ``after`` and ``after_unknown`` of a document, as Terraform prints them."""
    if isinstance(value, Unknown):
        return None, True
    if isinstance(value, dict):
        parts = {key: split(part) for key, part in value.items()}
        after = {key: known for key, (known, mark) in parts.items() if mark is not True}
        marks = {key: mark for key, (_, mark) in parts.items() if mark not in (False, {}, [])}
        return after, marks
    if isinstance(value, list):
        pairs = [split(part) for part in value]
        return [known for known, _ in pairs], [mark for _, mark in pairs]
    return value, False


def outcome(rules: Ruleset, document: dict[str, Any]) -> str:
    """Return what the one rule comes to on a resource with this ``after``."""
    after, unknown = split(document)
    one = plan(change(after=after, after_unknown=unknown))
    decision = evaluate(one, [rules], context(allow_empty=True))
    found = {each.outcome.value for each in decision.outcomes}
    if found:
        assert len(found) == 1
        return found.pop()
    return "pass" if decision.passed else "skip"


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, dict[str, Any], list[dict[str, Any]]]:
    """Return a rule, a document with unknown leaves, and some of its completions."""

    def pick(options: Any) -> Any:
        return options[draw(st.integers(0, len(options) - 1))]

    grammar = Grammar(pick)
    deciding = f"after | {grammar.expression(2)}"
    expressions = {pick(("deny", "require")): deciding}
    if pick((True, False)):
        expressions["when"] = f"after | {grammar.expression(1)}"
    document = {name: grammar.document(2, unknowns=True) for name in ("a", "b", "c")}
    pool = [*SMALL, *literals_of(deciding)]
    completions = [grammar.complete(document, pool) for _ in range(6)]
    return rule(**expressions), document, completions


@given(cases())
def test_outcome_holds_on_every_completion(
    case: tuple[str, dict[str, Any], list[dict[str, Any]]],
) -> None:
    """A pass, fail or error before the apply is one after it, whatever the values become."""
    text, document, completions = case
    with tempfile.TemporaryDirectory() as folder:
        try:
            rules = ruleset(Path(folder), text)
        except RulesetError:
            assume(False)
        before = outcome(rules, document)
        if before == "unknown":
            return
        for completion in completions:
            assert outcome(rules, completion) in HOLDS[before], (text, document, completion)
