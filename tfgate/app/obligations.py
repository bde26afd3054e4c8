"""After the apply: what was let through unknown, judged on the state that came out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from tfgate.audit.decision import MAX_FINDINGS, MAX_TEXT
from tfgate.engine.recheck import Checked, Obligation, Result, recheck
from tfgate.exitcodes import ExitCode
from tfgate.model.decision import OutcomeKind
from tfgate.model.rule import OnUnknown, Scope
from tfgate.plan import read_plan
from tfgate.plan.applied import as_applied, from_state, read_state

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tfgate.engine.context import Context
    from tfgate.model.decision import Decision
    from tfgate.ruleset import Ruleset


@dataclass(frozen=True)
class Obligations:
    """What became of every obligation of a decision."""

    checked: tuple[Checked, ...]
    problem: str | None = None
    """Why none of them could be looked at, where that is so."""

    def of(self, result: Result) -> list[Checked]:
        """Give those with this result."""
        return [one for one in self.checked if one.result is result]

    def without_met(self, reason: str) -> Obligations:
        """Call nothing met where what was judged may not be what the apply was to make."""
        met = {"result": Result.UNRESOLVED, "message": reason}
        return Obligations(
            tuple(
                msgspec.structs.replace(one, **met) if one.result is Result.MET else one
                for one in self.checked
            )
        )

    @property
    def exit_code(self) -> ExitCode:
        """0 where nothing that counts is broken or open; 1 for broken; 3 for unresolved."""
        counting = [one for one in self.checked if one.blocks]
        if any(one.result is Result.BROKEN for one in counting):
            return ExitCode.DENIED
        return ExitCode.UNDECIDED if counting else ExitCode.ALLOWED

    def fields(self) -> dict[str, Any]:
        """Give what the record says, those that do not hold first."""
        counts = {result.value: len(self.of(result)) for result in Result}
        kept = sorted(self.checked, key=lambda one: one.result is Result.MET)[:MAX_FINDINGS]
        return {
            "counts": counts,
            "results": [
                {**msgspec.to_builtins(one), "message": one.message[:MAX_TEXT]} for one in kept
            ],
            "results_truncated": len(self.checked) - len(kept),
            "problem": self.problem,
        }


def obligations_of(decision: Decision) -> tuple[Obligation, ...]:
    """Give the obligations that a decision leaves, one a rule and subject."""
    return tuple(
        dict.fromkeys(
            Obligation(found.rule, found.address, found.deposed, found.scope, found.action)
            for found in decision.obligations
        )
    )


def obligations_in(evidence: dict[str, Any]) -> tuple[Obligation, ...]:
    """Give the obligations that an evidence file tells of; they are left out by no limit there."""
    return tuple(
        Obligation(
            rule=str(found["rule"]),
            address=str(found["address"]),
            deposed=found.get("deposed"),
            scope=Scope(found.get("scope", Scope.RESOURCE.value)),
            action=found.get("action"),
        )
        for found in evidence.get("findings") or ()
        if found.get("outcome") == OutcomeKind.UNKNOWN.value
        and found.get("on_unknown") == OnUnknown.VERIFY.value
    )


def check_on_plan(
    plan_json: bytes,
    state_json: bytes,
    rulesets: Sequence[Ruleset],
    context: Context,
    obligations: Iterable[Obligation],
) -> Obligations:
    """Judge the obligations on the plan with what the state says in the place of the unknown."""
    plan = read_plan(as_applied(plan_json, read_state(state_json)), name="the state")
    return Obligations(recheck(plan, rulesets, context, obligations))


def check_on_state(
    state_json: bytes,
    rulesets: Sequence[Ruleset],
    context: Context,
    obligations: Sequence[Obligation],
) -> Obligations:
    """The same without the plan: rules that look at more than the state has stay unresolved."""
    actions = {
        one.address: one.action or "create" for one in obligations if one.scope is Scope.RESOURCE
    }
    outputs = [
        one.address.removeprefix("output.") for one in obligations if one.scope is Scope.OUTPUT
    ]
    made = from_state(read_state(state_json), actions, outputs)
    plan = read_plan(made, name="the state")
    return Obligations(recheck(plan, rulesets, context, obligations, whole=False))


def unresolved(
    obligations: Iterable[Obligation], rulesets: Sequence[Ruleset], context: Context, problem: str
) -> Obligations:
    """Say that none of the obligations could be looked at."""
    empty = read_plan(from_state(read_state(b'{"format_version":"1.0"}'), {}, ()))
    checked = recheck(empty, rulesets, context, obligations)
    told = tuple(msgspec.structs.replace(one, message=problem) for one in checked)
    return Obligations(told, problem)
