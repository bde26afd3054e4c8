"""One configuration: planned, evaluated, applied, planned again, and what differs.

The plan is evaluated in the ways that people use: as JSON alone, as JSON beside the configuration,
and as a plan file. The second plan knows everything: what it comes to is the truth, except where the
values tell that the engine is wrong both times.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import subprocess
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tests.support.soundness.configuration import Configuration, generate
from tests.support.soundness.rules import FIXED, HEADER, Rule, random_rules, rule_text
from tfgate.app.api import load_rulesets
from tfgate.app.check import check
from tfgate.app.request import Request
from tfgate.app.verify import Source, verify_decision
from tfgate.errors import RulesetError
from tfgate.plan.applied import read_state

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tfgate.model.decision import Decision

NOW: Final = dt.datetime(2026, 11, 24, 12, tzinfo=dt.timezone.utc)
_GATE: Final = '[gate]\nrulesets = ["./rules.toml"]\nevaluate = "all"\n[audit]\nlog = "audit.jsonl"\n'
_HOLDS: Final = {"pass": {"pass", "skip"}, "fail": {"fail", "error"}, "error": {"fail", "error"}}
_SETTLED: Final = {"met": {"pass", "skip"}, "broken": {"fail", "error"}}

Subject = tuple[str, str]
"""Rule id and address."""


class Broken(NamedTuple):
    """An outcome that did not hold."""

    way: str
    rule: str
    address: str
    first: str
    second: str

    def __str__(self) -> str:
        return f"{self.rule} on {self.address} ({self.way}): {self.first}, then {self.second}"


class Refused(Exception):
    """Terraform does not plan or apply the configuration: it says nothing of tfgate."""


class Terraform(NamedTuple):
    """A Terraform, and what it may see."""

    command: tuple[str, ...]
    env: Mapping[str, str]

    def run(self, folder: Path, *arguments: str) -> bytes:
        """Run it, and return its output. Raises ``Refused``."""
        ended = subprocess.run(
            [*self.command, *arguments], cwd=folder, env=dict(self.env), capture_output=True,
            check=False,
        )  # fmt: skip
        if ended.returncode:
            raise Refused(f"{arguments[0]}: {ended.stderr.decode(errors='replace')}")
        return ended.stdout


class Trial:
    """One configuration in a folder of its own."""

    def __init__(self, folder: Path, terraform: Terraform, seed: int) -> None:
        self.work, self._gate, self._nowhere = folder / "work", folder / "gate", folder / "nowhere"
        for one in (self.work, self._gate, self._nowhere):
            one.mkdir(parents=True)
        self._terraform = terraform
        chance = random.Random(seed)
        self.configuration = generate(chance)
        self.rules = {rule.id: rule for rule in self._write_rules(chance)}
        self.counts: Counter[str] = Counter()

    def run(self) -> list[Broken]:
        """Do all of it, and list what did not hold. Raises ``Refused``."""
        self._prepare(self.configuration)
        self._run("plan", "-input=false", "-out=first.tfplan")
        (self.work / "first.json").write_bytes(self._run("show", "-json", "first.tfplan"))
        ways = {
            "JSON": (self.work / "first.json", self._nowhere),
            "JSON and HCL": (self.work / "first.json", self.work),
            "plan file": (self.work / "first.tfplan", self.work),
        }
        first = {way: self._check(*where) for way, where in ways.items()}
        self._run("apply", "-input=false", "first.tfplan")
        state, second_json = self.work / "state.json", self.work / "second.json"
        state.write_bytes(self._run("show", "-json"))
        self._run("plan", "-input=false", "-out=second.tfplan")
        second_json.write_bytes(self._run("show", "-json", "second.tfplan"))
        self._require_settled(json.loads(second_json.read_bytes()))
        values = {
            address: one["values"]
            for address, one in read_state(state.read_bytes()).resources.items()
        }
        broken: list[Broken] = []
        for way, (decision_id, before) in first.items():
            _, after = self._check(second_json, ways[way][1])
            broken += self._compare(way, before, after)
            broken += self._compare_truth(way, before, values)
            broken += self._compare_truth(f"{way}, second plan", after, values)
            for plan in (None, ways[way][0]):
                settled = self._verify(decision_id, ways[way][1], plan, state)
                broken += self._compare_settled(way, settled, after, values)
        return broken

    def _prepare(self, configuration: Configuration) -> None:
        configuration.write(self.work)
        self._run("init", "-input=false")
        variables = self.work / "terraform.tfvars.json"
        if configuration.earlier is not None:
            variables.write_text(json.dumps(configuration.earlier))
            targets = [f"-target={one}" for one in configuration.targets]
            self._run("apply", "-input=false", "-auto-approve", *targets)
        variables.write_text(json.dumps(configuration.variables))

    def _write_rules(self, chance: random.Random) -> Iterator[Rule]:
        """Write the rules that load."""
        path = self._gate / "rules.toml"
        text = HEADER
        for rule in (*FIXED, *random_rules(chance)):
            path.write_text(more := text + rule_text(rule))
            try:
                load_rulesets([path])
            except RulesetError:
                continue
            text = more
            yield rule
        path.write_text(text)

    def _run(self, *arguments: str) -> bytes:
        return self._terraform.run(self.work, *arguments)

    def _request(self, plan: str, root: Path) -> Request:
        config = self._gate / "tfgate.toml"
        config.write_text(_GATE)
        env = {**self._terraform.env, "TFGATE_OPERATOR": "tester"}
        return Request(
            plan=plan, env=env, cwd=self._gate, now=NOW, root=root, config=str(config),
            workspace="default",
        )  # fmt: skip

    def _check(self, plan: Path, root: Path) -> tuple[str, dict[Subject, str]]:
        """Evaluate a plan, and return the id of the decision and what it comes to."""
        result = check(self._request(str(plan), root))
        return result.decision_id, dict(_outcomes(result.decision))

    def _verify(
        self, decision_id: str, root: Path, plan: Path | None, state: Path
    ) -> dict[Subject, str]:
        source = Source(plan=None if plan is None else str(plan), state=state)
        found = verify_decision(self._request("-", root), decision_id, source)
        return {(one.rule, one.address): one.result.value for one in found.obligations.checked}

    def _require_settled(self, second: dict[str, Any]) -> None:
        changed = [
            one["address"]
            for one in second["resource_changes"]
            if one["change"]["actions"] != ["no-op"]
        ]
        if changed:
            raise Refused(f"the second plan changes {changed}")

    def _compare(
        self, way: str, before: Mapping[Subject, str], after: Mapping[Subject, str]
    ) -> Iterator[Broken]:
        for (rule, address), first in before.items():
            second = after.get((rule, address), "skip")
            self.counts[f"{way}: {first}"] += 1
            if first in _HOLDS and second not in _HOLDS[first]:
                yield Broken(way, rule, address, first, second)

    def _compare_truth(
        self, way: str, before: Mapping[Subject, str], values: Mapping[str, Mapping[str, Any]]
    ) -> Iterator[Broken]:
        for (rule, address), first in before.items():
            truth = self._truth(rule, address, values)
            if truth is not None and first in _HOLDS and truth not in _HOLDS[first]:
                yield Broken(way, rule, address, first, f"{truth} by the values")

    def _truth(self, rule: str, address: str, values: Mapping[str, Mapping[str, Any]]) -> str | None:
        known = self.rules[rule].truth if rule in self.rules else None
        if known is None or address not in values:
            return None
        return "pass" if known(values, address) else "fail"

    def _compare_settled(
        self,
        way: str,
        settled: Mapping[Subject, str],
        after: Mapping[Subject, str],
        values: Mapping[str, Mapping[str, Any]],
    ) -> Iterator[Broken]:
        for (rule, address), result in settled.items():
            second = self._truth(rule, address, values) or after.get((rule, address), "skip")
            self.counts[f"{way}: obligation {result}"] += 1
            if result in _SETTLED and second not in _SETTLED[result]:
                yield Broken(way, rule, address, f"obligation {result}", second)


def _outcomes(decision: Decision) -> Iterator[tuple[Subject, str]]:
    for rule, addresses in decision.passed.items():
        for address in addresses:
            yield (rule, address), "pass"
    for one in decision.outcomes:
        if not one.deposed:
            yield (one.rule, one.address), one.outcome.value


def kept(broken: Sequence[Broken], limit: int = 8) -> str:
    """Write down what did not hold, a line each."""
    lines = [f"  {one}" for one in broken[:limit]]
    more = len(broken) - limit
    return "\n".join([*lines, *([f"  and {more} more"] if more > 0 else [])])
