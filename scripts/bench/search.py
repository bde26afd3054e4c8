"""The time of the rules alone: ``jmespath.search`` against tfgate's compiled expressions.

Both evaluate the same expressions on the same decoded documents; loading is not counted. tfgate
judges as the engine does (pass, fail, error or unknown). Functions that tfgate adds are given to
jmespath as custom functions.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import tfgate
from tfgate.app.api import default_context
from tfgate.engine.bound import BoundRule, ReadsCache, bind
from tfgate.engine.judge import judge
from tfgate.engine.scope import SubjectScope
from tfgate.engine.select import RuleIndex
from tfgate.model.rule import Scope
from tfgate.plan import iter_subjects

jmespath: Any = import_module("jmespath")
functions: Any = import_module("jmespath.functions")

PARAMS: dict[str, Any] = {}
"""What ``param(name)`` gives to jmespath: set before the first evaluation."""


def _options() -> Any:
    """Give jmespath what the benchmark's rules need beyond the standard."""
    one_string = functions.signature({"types": ["string"]})
    added = {
        "_func_param": one_string(lambda self, name: PARAMS[name]),
        "_func_parse_json": one_string(lambda self, text: json.loads(text)),
    }
    return jmespath.Options(custom_functions=type("Added", (functions.Functions,), added)())


def main() -> None:
    """Print both times and their ratio."""
    rules = str(Path(__file__).resolve().parent / "rules.toml")
    plan = tfgate.load_plan(sys.argv[1])
    context = default_context()
    bound = bind(tfgate.load_rulesets([rules]), context)
    work = []
    for scope in (Scope.RESOURCE, Scope.PLAN):
        index = RuleIndex([r for r in bound if r.rule.scope is scope], scope, evaluate_all=False)
        cache = ReadsCache()
        for subject in iter_subjects(plan, scope):
            if selected := index.select(subject):
                document = subject.document(cache.of(selected))
                work += [(rule, subject, document) for rule in selected]
    known = [item for item in work if not _raises(item[0], item[2])]
    gc.disable()
    ours = min(_ours(plan, known, context) for _ in range(3))
    theirs = min(_theirs(known) for _ in range(3))
    print(f"rules       {len(known)} evaluations: tfgate {ours:.3f} s, jmespath.search "
          f"{theirs:.3f} s, {theirs / ours:.1f} times as long")  # fmt: skip


def _raises(rule: BoundRule, document: dict[str, Any]) -> bool:
    """Whether jmespath cannot evaluate it: on values that are unknown it has no answer."""
    PARAMS.update(rule.params)
    try:
        jmespath.search(rule.rule.expression, document, options=_options())
    except jmespath.exceptions.JMESPathError:
        return True
    return False


def _ours(plan: Any, work: list[Any], context: Any) -> float:
    start = time.perf_counter()
    for rule, subject, document in work:
        scope = SubjectScope(plan, rule, subject, document, context) if rule.scoped else None
        judge(rule, document, scope)
    return time.perf_counter() - start


def _theirs(work: list[Any]) -> float:
    options = _options()
    start = time.perf_counter()
    for rule, _, document in work:
        jmespath.search(rule.rule.expression, document, options=options)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
