#!/usr/bin/env python3
"""Run every shipped rule over real plans, to see which are noisy and which never fire.

scripts/noise.py [--rule GLOB] [--ruleset NAME] [FOLDER ...]

Printed are, for each rule, how many resources failed, are open, are in error and passed; then the
resources that have most findings, the rules that selected something and never failed, and the rules
that selected nothing. With --rule, each finding of these rules is listed. Rules on sources are left
out: these plans come without their configuration. Exit code 1 says that a rule was in error.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tfgate.errors import TfgateError  # noqa: E402
from tfgate.gate.api import evaluate, load_rulesets  # noqa: E402  # needs the path above
from tfgate.model.rule import Scope  # noqa: E402
from tfgate.model.text import glob_matches  # noqa: E402
from tfgate.plan import read_plan  # noqa: E402
from tfgate.ruleset import shipped_names  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tfgate.model.decision import Decision
    from tfgate.ruleset import Ruleset

FOLDERS = (ROOT.parent / "shared" / "corpus" / "plans", ROOT / "testdata" / "plans")
_WORDS = ("fail", "unknown", "error")
_MOST = 20


class Tally:
    """What all rules gave on all plans."""

    def __init__(self) -> None:
        self.plans = 0
        self.refused = 0
        self.found: dict[str, Counter[str]] = defaultdict(Counter)
        """Outcomes by rule: ``fail``, ``unknown``, ``error``, ``waived``, ``pass``."""
        self.resources: Counter[str] = Counter()
        """Failures by plan and address."""
        self.errors: list[str] = []

    def add(self, name: str, decision: Decision) -> None:
        """Count a plan's outcomes."""
        for outcome in decision.outcomes:
            word = outcome.outcome.value
            if outcome.scope is Scope.SOURCE:
                continue
            self.found[outcome.rule][word] += 1
            if word == "fail":
                self.resources[f"{name}: {outcome.address}"] += 1
            if word == "error":
                self.errors.append(f"{outcome.rule} {name}: {outcome.address}: {outcome.message}")
        for rule, labels in decision.passed.items():
            self.found[rule]["pass"] += len(labels)


def main() -> int:
    """Run and print; the exit code says whether a rule was in error."""
    options = _arguments()
    names = [options.ruleset] if options.ruleset else shipped_names()
    rulesets = load_rulesets([f"tfgate:{name}" for name in names])
    tally = Tally()
    for name, decision in _decisions(options.folders, rulesets, tally):
        tally.add(name, decision)
        if options.rule:
            _print_findings(name, decision, options.rule)
    if not tally.plans:
        print("There are no plans to run on.", file=sys.stderr)
        return 2
    _print_rules(tally, rulesets)
    _print_resources(tally)
    _print_silent(tally, rulesets)
    print(f"{tally.plans} plans ({tally.refused} refused), {len(tally.errors)} errors")
    for error in tally.errors:
        print(f"  {error}")
    return 1 if tally.errors else 0


def _decisions(
    folders: Sequence[Path], rulesets: Sequence[Ruleset], tally: Tally
) -> Iterator[tuple[str, Decision]]:
    for folder in folders:
        for path in sorted(folder.rglob("*.json")):
            try:
                plan = read_plan(path.read_bytes())
            except TfgateError:
                tally.refused += 1
                continue
            tally.plans += 1
            yield str(path.relative_to(folder)), evaluate(plan, rulesets)


def _rules(rulesets: Sequence[Ruleset]) -> list[str]:
    return [
        rule.id
        for ruleset in rulesets
        for rule in ruleset.rules
        if rule.rule.scope is not Scope.SOURCE
    ]


def _print_rules(tally: Tally, rulesets: Sequence[Ruleset]) -> None:
    print(f"{'rule':24}{'fail':>6}{'unknown':>9}{'error':>7}{'pass':>7}")
    fired = [rule for rule in _rules(rulesets) if any(tally.found[rule][word] for word in _WORDS)]
    for rule in sorted(fired, key=lambda rule: -tally.found[rule]["fail"]):
        counts = tally.found[rule]
        numbers = f"{counts['fail']:>6}{counts['unknown']:>9}{counts['error']:>7}"
        print(f"{rule:24}{numbers}{counts['pass']:>7}")
    print()


def _print_resources(tally: Tally) -> None:
    print(f"resources with most failures (of {len(tally.resources)} that have any):")
    for label, count in tally.resources.most_common(_MOST):
        print(f"{count:>6}  {label}")
    print()


def _print_silent(tally: Tally, rulesets: Sequence[Ruleset]) -> None:
    rules = _rules(rulesets)
    idle = [rule for rule in rules if not tally.found[rule]]
    calm = [rule for rule in rules if tally.found[rule] and not tally.found[rule]["fail"]]
    print(f"selected something and never failed ({len(calm)}):")
    print("  " + " ".join(calm))
    print(f"selected nothing in these plans ({len(idle)}):")
    print("  " + " ".join(idle))
    print()


def _print_findings(name: str, decision: Decision, glob: str) -> None:
    for outcome in decision.outcomes:
        if glob_matches(glob, outcome.rule) and outcome.scope is not Scope.SOURCE:
            print(f"{outcome.outcome.value:8}{outcome.rule}  {name}: {outcome.message}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="*", type=Path, default=list(FOLDERS), metavar="FOLDER")
    parser.add_argument("--rule", metavar="GLOB", help="list the findings of these rules")
    parser.add_argument("--ruleset", metavar="NAME", help="this shipped ruleset only")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
