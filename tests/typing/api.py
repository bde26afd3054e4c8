"""The public API, as a type checker sees it: mypy reads this file, nothing runs it."""

from __future__ import annotations

import datetime as dt

import tfgate
from tfgate.query import UNKNOWN, Expression, Unknown, compile


def judge(path: str) -> tfgate.Decision:
    """Load, evaluate, and look at what came out."""
    plan = tfgate.load_plan(path)
    same = tfgate.load_plan(b"{}")
    rulesets = tfgate.load_rulesets(["tfgate:core", "./policy"])
    decision = tfgate.evaluate(plan, rulesets)
    address: str = decision.outcomes[0].address
    blocks: bool = decision.outcomes[0].blocks
    reasons: tuple[str, ...] = decision.reasons
    counts: dict[str, int] = same.counts()
    digest: str = plan.json_sha256
    print(address, blocks, reasons, counts, digest)
    return decision


def ask(text: str) -> bool | None:
    """Compile and ask an expression."""
    expression: Expression = compile(text)
    unknown: Unknown = UNKNOWN
    value: object = expression.search({"a": unknown})
    print(value)
    return expression.verdict({"a": unknown})


def at(now: dt.datetime, context: tfgate.Context) -> tuple[dt.datetime, str]:
    """A context is a value."""
    return now, context.workspace.name


def error() -> tfgate.TfgateError:
    """Errors carry what to do."""
    return tfgate.TfgateError("What is wrong.", hint="What to do.")
