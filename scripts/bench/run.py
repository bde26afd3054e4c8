#!/usr/bin/env python3
"""Time tfgate beside the floor and any peer installed, on plans of several sizes, in one run.

scripts/bench/run.py [--sizes 100,1000,10000] [--runs 5]

Each figure is the median of whole processes, run in turn so that all meet the same machine: wall
seconds, CPU seconds (user and system), and peak memory. Ratios are to `tfgate check`. The findings
of tfgate are compared with those that the rules must give.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Path(__file__).resolve().parent
RULES = HERE / "rules.toml"
SHIPPED = [f"tfgate:{name}" for name in ("core", "aws", "azure", "google", "kubernetes")]
REGORUS = (
    "import sys, regorus\n"
    "e = regorus.Engine()\n"
    "e.add_policy('policy.rego', open(sys.argv[1]).read())\n"
    "e.set_input_json(open(sys.argv[2]).read())\n"
    "print(len(e.eval_rule('data.main.deny')))\n"
)


class Run(NamedTuple):
    """One process."""

    wall: float
    cpu: float
    memory: float
    """Peak, in MB (10**6 bytes)."""


def main() -> int:
    """Run everything and print the table."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="tfgate-bench-") as folder:
        _start_up(Path(folder), options.runs)
        for size in options.sizes:
            plan = Path(folder) / f"plan-{size}.json"
            make = [sys.executable, str(HERE / "make_plan.py"), str(size), str(plan)]
            subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
            if not _right(plan):
                return 1
            _compare(size, plan, options.runs)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="100,1000,10000")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    options.sizes = [int(size) for size in options.sizes.split(",")]
    return options


def _check(plan: Path, *more: str, rules: Sequence[str] = (str(RULES),)) -> list[str]:
    log = str(plan.parent / "audit.jsonl")
    given = [word for name in rules for word in ("--ruleset", name)]
    return [sys.executable, "-m", "tfgate", "check", str(plan), *given, "--audit-log", log, *more]


def _start_up(folder: Path, runs: int) -> None:
    plan = folder / "empty.json"
    plan.write_text('{"format_version":"1.2","planned_values":{},"resource_changes":[]}')
    commands = {
        "check of an empty plan": _check(plan),
        "python -c pass": [sys.executable, "-c", "pass"],
    }
    _table("start", commands, runs)


def _compare(size: int, plan: Path, runs: int) -> None:
    commands = {
        "tfgate check": _check(plan),
        "floor": [sys.executable, str(HERE / "floor.py"), str(plan)],
        "every shipped ruleset": _check(plan, rules=SHIPPED),
    }
    if find_spec("regorus"):
        policy = str(HERE / "policy.rego")
        commands["regorus"] = [sys.executable, "-c", REGORUS, policy, str(plan)]
    _table(f"{size} changes, {plan.stat().st_size / 1e6:.1f} MB", commands, runs)
    subprocess.run([sys.executable, str(HERE / "search.py"), str(plan)], check=True)


def _table(title: str, commands: dict[str, list[str]], runs: int) -> None:
    found: dict[str, list[Run]] = {name: [] for name in commands}
    for number in range(runs + 1):
        for name, command in commands.items():
            run = _run(command)
            if number:  # the first is to warm the caches
                found[name].append(run)
    print(f"\n{title}\n{'':24} {'wall s':>8} {'cpu s':>8} {'MB':>7}   wall, cpu, memory as shares")
    base = _median(next(iter(found.values())))
    for name, each in found.items():
        median = _median(each)
        ratios = ", ".join(f"{value / of:.2f}" for value, of in zip(median, base, strict=True))
        print(f"{name:24} {median.wall:8.3f} {median.cpu:8.3f} {median.memory:7.1f}   {ratios}")


def _median(runs: list[Run]) -> Run:
    return Run(*(statistics.median(values) for values in zip(*runs, strict=True)))


def _run(command: list[str]) -> Run:
    """Run a process to its end; its own and only its resources are counted."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = 0  # reaped above
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6)


def _right(plan: Path) -> bool:
    """Whether tfgate finds what the rules must find: a quick wrong answer is none."""
    report = plan.with_suffix(".report.json")
    command = _check(plan, "--report", f"json={report}")
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
    outcomes = json.loads(report.read_text())["outcomes"]
    got = {(o["rule"], o["address"]) for o in outcomes if o["outcome"] == "fail"}
    wanted = {tuple(pair) for pair in json.loads(plan.with_suffix(".expect.json").read_text())}
    if got != wanted:
        print(f"{plan}: wrong findings: {sorted(got ^ wanted)[:5]}", file=sys.stderr)
    return got == wanted


if __name__ == "__main__":
    sys.exit(main())
