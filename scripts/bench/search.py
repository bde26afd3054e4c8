"""The time of the rules alone: ``jmespath.search`` against tfgate's compiled expressions.

scripts/bench/search.py PLAN.json   the ten rules of rules.toml on a plan
scripts/bench/search.py --shipped   every shipped rule on the resources of its own examples,
                                    each twenty times, as a large plan has more than one

Both evaluate the same expressions on the same decoded documents; loading is not counted. tfgate
evaluates as the engine does (pass, fail, error or unknown). Functions that tfgate adds are given to
jmespath as custom functions. Left out is what jmespath has no answer to: documents with unknown
values in what a rule reads, and rules that ask the rest of the plan.
"""

from __future__ import annotations

import gc
import re
import sys
import time
from functools import cache
from importlib import import_module
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import tfgate
from tfgate.engine.bound import BoundRule, ReadsCache, RuleIndex, bind
from tfgate.engine.functions import rule_functions
from tfgate.engine.rule_verdict import evaluate_rule
from tfgate.errors import TfgateError
from tfgate.examples.run import only_rule, prepare
from tfgate.gate.api import default_context
from tfgate.model.rule import Scope
from tfgate.plan import iter_subjects
from tfgate.query.equality import has_unknown
from tfgate.query.functions.documents import read
from tfgate.query.state import Meter, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tfgate.engine.context import Context
    from tfgate.plan import Plan, Subject

jmespath: Any = import_module("jmespath")
functions: Any = import_module("jmespath.functions")

SHIPPED = ("tfgate:core", "tfgate:aws", "tfgate:azure", "tfgate:google", "tfgate:kubernetes")


AGAIN = 20
PIECE = 1_000


class Work(NamedTuple):
    """One rule on one subject."""

    rule: BoundRule
    subject: Subject
    document: dict[str, Any]
    plan: Plan
    context: Context


class Current:
    """The rule and the document that jmespath evaluates: what ``param()`` and ``var()`` are of."""

    params: dict[str, Any]
    let: dict[str, str]
    document: dict[str, Any]


def main() -> None:
    """Print both times and their ratio."""
    shipped = sys.argv[1:] == ["--shipped"]
    work = [one for one in (_shipped() if shipped else _ten(sys.argv[1])) if not _raises(one)]
    if shipped:
        work = [one for _, its in groupby(work, _of_rule) for one in list(its) * AGAIN]
    gc.collect()
    gc.disable()
    theirs, ours = _best(_theirs, work), _best(_ours, work)
    print(f"rules       {len(work)} evaluations: jmespath.search {theirs * 1e3:.1f} ms; tfgate "
          f"{ours * 1e3:.1f} ms, {theirs / ours:.1f} times as fast")  # fmt: skip


def _best(run: Callable[[Sequence[Work]], float], work: Sequence[Work]) -> float:
    """Time it in pieces, each at its best: a document was just decoded when rules look at it."""
    pieces = (work[at : at + PIECE] for at in range(0, len(work), PIECE))
    return sum(min(run(piece) for _ in range(5)) for piece in pieces)


def _of_rule(work: Work) -> BoundRule:
    return work.rule


def _ten(name: str) -> Iterator[Work]:
    rules = str(Path(__file__).resolve().parent / "rules.toml")
    plan, context = tfgate.load_plan(name), default_context()
    bound = bind(tfgate.load_rulesets([rules]), context)
    yield from _work(plan, bound, context, (Scope.RESOURCE, Scope.PLAN))


def _shipped() -> Iterator[Work]:
    for ruleset in tfgate.load_rulesets(SHIPPED):
        for compiled in ruleset.rules:
            bound: dict[str, list[BoundRule]] = {}
            for test in compiled.rule.tests if compiled.rule.scope is Scope.RESOURCE else ():
                try:
                    example = prepare(ruleset, compiled, test)
                    if str(test.params) not in bound:
                        one = bind([only_rule(ruleset, compiled)], example.context)
                        bound[str(test.params)] = one
                except TfgateError:
                    continue
                rules = bound[str(test.params)]
                yield from _work(example.plan, rules, example.context, (Scope.RESOURCE,))


def _work(
    plan: Plan, bound: Sequence[BoundRule], context: Context, scopes: Iterable[Scope]
) -> Iterator[Work]:
    for scope in scopes:
        index = RuleIndex([r for r in bound if r.rule.scope is scope], scope, evaluate_all=False)
        cache = ReadsCache()
        for subject in iter_subjects(plan, scope):
            if selected := index.select(subject):
                document = subject.document(cache.of(selected))
                for rule in selected:
                    yield Work(rule, subject, document, plan, context)


def _raises(work: Work) -> bool:
    """Whether jmespath has no answer: on values that are unknown, or to functions of a plan."""
    if has_unknown(work.document, State()):
        return True
    try:
        _search(work)
    except (jmespath.exceptions.JMESPathError, TypeError, AttributeError, ValueError, TfgateError):
        return True
    return False


def _ours(work: Sequence[Work]) -> float:
    meters = {rule: Meter() for rule, *_ in work}
    start = time.perf_counter()
    for rule, subject, document, plan, context in work:
        evaluate_rule(rule, subject, document, plan, context, meters[rule])
    return time.perf_counter() - start


def _theirs(work: Sequence[Work]) -> float:
    start = time.perf_counter()
    for one in work:
        _search(one)
    return time.perf_counter() - start


def _search(work: Work) -> None:
    rule = work.rule.rule
    Current.params = dict(work.rule.values.objects["params"])
    Current.let, Current.document = rule.let, work.document
    if rule.when is None or jmespath.search(_called(rule.when), work.document, options=OPTIONS):
        jmespath.search(_called(rule.expression), work.document, options=OPTIONS)


@cache
def _called(text: str) -> str:
    """Write variables as calls: jmespath has none."""
    text = re.sub(r"\$params\.(\w+)", r"param('\1')", text)
    return re.sub(r"\$(\w+)", r"var('\1')", text)


def _options() -> Any:
    """Return the functions that jmespath lacks, without those that need a plan."""
    added: dict[str, Any] = {}
    for function in rule_functions():
        if not function.standard and not function.scope:
            added[f"_func_{function.name}"] = _given(function)
    one_string = functions.signature({"types": ["string"]})
    # No text is kept: a plan has another one in each resource.
    added["_func_parse_json"] = one_string(lambda self, text: read(text))
    added["_func_param"] = one_string(lambda self, name: Current.params[name])
    added["_func_var"] = one_string(
        lambda self, name: jmespath.search(
            _called(Current.let[name]), Current.document, options=OPTIONS
        )
    )
    return jmespath.Options(custom_functions=type("Added", (functions.Functions,), added)())


def _given(function: Any) -> Any:
    def run(self: Any, *arguments: Any) -> Any:
        return function.call(*((State(),) if function.state else ()), *arguments)

    types: list[dict[str, Any]] = [{"types": []} for _ in function.parameters]
    return functions.signature(*types)(run)


OPTIONS = _options()

if __name__ == "__main__":
    main()
