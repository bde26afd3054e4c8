#!/usr/bin/env python3
"""How the cost grows: with changes, with rules that select nothing, with findings, with references.

scripts/bench/scale.py [--changes 1000,10000] [--rules 10,100,1000] [--findings 1250,10000]
                       [--references 1250,5000]

Each line says what one more costs; where that stays the same from line to line, the cost is linear.
The largest numbers that are worth waiting for: ``--changes 1000,10000,100000``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tfgate
from tfgate.gate.api import default_context

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HERE = Path(__file__).resolve().parent
RULES = HERE / "rules.toml"
SHIPPED = ("tfgate:core", "tfgate:aws", "tfgate:azure", "tfgate:google", "tfgate:kubernetes")
HEADER = '[ruleset]\nid = "scale"\nversion = "1.0.0"\ntitle = "Scale"\nowners = ["a"]\n'


def main() -> int:
    """Print every table."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="tfgate-scale-") as name:
        folder = Path(name)
        plans = {size: _plan(folder, size) for size in options.changes}
        _changes(plans, options.runs)
        _unselected(plans[max(plan for plan in plans if plan <= 10_000)], folder, options)
        _findings(folder, options)
        _references(folder, options)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", default="1000,10000")
    parser.add_argument("--rules", default="10,100,1000")
    parser.add_argument("--findings", default="1250,10000")
    parser.add_argument("--references", default="1250,5000")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    for name in ("changes", "rules", "findings", "references"):
        setattr(options, name, [int(size) for size in getattr(options, name).split(",")])
    return options


def _plan(folder: Path, size: int) -> Path:
    plan = folder / f"plan-{size}.json"
    make = [sys.executable, str(HERE / "make_plan.py"), str(size), str(plan)]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
    return plan


def _changes(plans: dict[int, Path], runs: int) -> None:
    """Whole processes: the floor, ten rules, all shipped rulesets."""
    print(f"\n{'changes':>9} {'':22} {'cpu s':>8} {'MB':>8}   cpu, memory as shares of the floor's")
    for size, plan in plans.items():
        commands = {
            "floor": [sys.executable, str(HERE / "floor.py"), str(plan)],
            "ten rules": _check(plan, [str(RULES)]),
            "all shipped rulesets": _check(plan, SHIPPED),
        }
        base: tuple[float, float] | None = None
        for name, command in commands.items():
            cpu, memory = min(_process(command) for _ in range(1 if size > 10_000 else runs))
            base = base or (cpu, memory)
            shares = f"{cpu / base[0]:.2f}, {memory / base[1]:.2f}"
            print(f"{size:9,} {name:22} {cpu:8.3f} {memory:8.0f}   {shares}")


def _check(plan: Path, rulesets: Sequence[str]) -> list[str]:
    options = [text for ruleset in rulesets for text in ("-r", ruleset)]
    log = str(plan.parent / "audit.jsonl")
    return [sys.executable, "-m", "tfgate", "check", str(plan), *options, "--audit-log", log]


def _process(command: list[str]) -> tuple[float, float]:
    """Return CPU seconds and peak memory in MB of a process."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0  # reaped above
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6


def _unselected(plan: Path, folder: Path, options: argparse.Namespace) -> None:
    """The ten rules with more and more beside them that look at types the plan has none of."""
    print(f"\nrules beside the ten that select nothing of {plan.stem.partition('-')[2]} changes")
    loaded = tfgate.load_plan(plan)
    ten = tfgate.load_rulesets([str(RULES)])
    for number in options.rules:
        rules = folder / f"unselected-{number}.toml"
        rules.write_text(HEADER + "".join(_rule(f"N-{n}", f"aws_none_{n}") for n in range(number)))
        rulesets = [*ten, *tfgate.load_rulesets([str(rules)])]
        seconds = _best(partial(tfgate.evaluate, loaded, rulesets, default_context()))
        print(f"{number:9,} rules: {seconds / len(loaded.changes) * 1e6:8.1f} µs a change")


def _rule(identity: str, kind: str, deny: str = "after.name == 'x'") -> str:
    return (
        f'[[rules]]\nid = "{identity}"\ntitle = "A rule"\nseverity = "low"\n'
        f'enforcement = "hard-mandatory"\nmessage = "{{address}}: {{after.name}}"\n'
        f'deny = "{deny}"\n[rules.match]\ntypes = ["{kind}"]\n'
    )


def _findings(folder: Path, options: argparse.Namespace) -> None:
    """Every change is a finding: what telling, recording and rendering each costs."""
    print("\nfindings: judged, recorded and rendered")
    rules = folder / "findings.toml"
    rules.write_text(HEADER + _rule("F-1", "aws_thing", "after.name != 'x'"))
    for number in options.findings:
        plan = folder / f"findings-{number}.json"
        plan.write_text(json.dumps(_things(number)))
        for report in ("text", "json", "sarif", "html"):
            command = _check(plan, [str(rules)])
            done = min(
                _process([*command, "--report", f"{report}={folder}/out"])
                for _ in range(options.runs)
            )
            print(f"{number:9,} {report:6} {done[0]:7.3f} s {done[0] / number * 1e6:7.1f} µs each")


def _things(number: int) -> dict[str, Any]:
    return {
        "format_version": "1.2",
        "planned_values": {},
        "resource_changes": [_thing(n) for n in range(number)],
    }


def _thing(number: int) -> dict[str, Any]:
    change: dict[str, Any] = {"actions": ["create"], "after": {"name": f"n{number}"}}
    change |= {
        "before": None,
        "after_unknown": {},
        "before_sensitive": False,
        "after_sensitive": {},
    }
    return _named("aws_thing", f"a{number}") | {"change": change}


def _named(kind: str, name: str) -> dict[str, Any]:
    named = {"address": f"{kind}.{name}", "mode": "managed", "type": kind, "name": name}
    return named | {"provider_name": "registry.terraform.io/hashicorp/aws"}


def _references(folder: Path, options: argparse.Namespace) -> None:
    """One resource that all the others refer to, and a rule that asks for them."""
    print("\nreferences to one resource, by a rule on each end of them")
    rules = folder / "references.toml"
    rules.write_text(
        HEADER
        + _rule("R-1", "aws_group", "length(referenced_by('aws_thing')) > `100000`")
        + _rule("R-2", "aws_thing", "length(references()) > `100000`")
    )
    rulesets = tfgate.load_rulesets([str(rules)])
    for number in options.references:
        plan = folder / f"references-{number}.json"
        plan.write_text(json.dumps(_referring(number)))

        def judge(plan: Path = plan) -> None:
            tfgate.evaluate(tfgate.load_plan(plan), rulesets, default_context())

        seconds = _best(judge)
        print(f"{number:9,} references: {seconds:7.3f} s {seconds / number * 1e6:7.1f} µs each")


def _referring(number: int) -> dict[str, Any]:
    group = _thing(0) | _named("aws_group", "hub")
    blocks = [{**_named("aws_group", "hub"), "expressions": {}}]
    referring = {"group": {"references": ["aws_group.hub.id", "aws_group.hub"]}}
    blocks += [{**_named("aws_thing", f"a{n}"), "expressions": referring} for n in range(number)]
    plan = _things(number)
    plan["resource_changes"].append(group)
    return plan | {"configuration": {"root_module": {"resources": blocks}}}


def _best(work: Callable[[], Any], runs: int = 3) -> float:
    best = float("inf")
    for _ in range(runs):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


if __name__ == "__main__":
    sys.exit(main())
