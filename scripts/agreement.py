#!/usr/bin/env python3
"""Compare verdicts with independently labelled examples.

scripts/agreement.py [--provider NAME] [--unmapped] [--labelled FOLDER]

Each labelled check says which addresses of a plan it passes and which it fails. agreement.toml,
beside this file, says which rules ask the same as a check, and judges the disagreements. Printed
are, for each provider: labels that matched, false alarms (label pass, verdict fail), misses (label
fail, any other verdict), what the plan leaves open, and each disagreement with who is right.

Labels that the set itself lists as at risk are left out. Exit code 1 says that fewer than 97 % of
the labels matched, or that a disagreement is not explained.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import tomli

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tfgate.gate.api import evaluate, load_plan, load_rulesets  # noqa: E402  # needs the path above
from tfgate.model.text import glob_matches  # noqa: E402
from tfgate.ruleset import shipped_names  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tfgate.model.decision import Decision
    from tfgate.ruleset import Ruleset

LABELLED = ROOT.parent / "shared" / "labelled"
MAPPING = Path(__file__).with_suffix(".toml")
WANTED = 0.97
_WORST_FIRST = ("fail", "error", "unknown")
_DENIES = ("fail", "error")


class Verdict(NamedTuple):
    """What the mapped rules say of one labelled address."""

    provider: str
    check: str
    address: str
    label: str
    """``pass`` or ``fail``."""
    got: str
    """``pass``, ``fail``, ``error`` or ``unknown``; ``unseen`` where no rule looked at it."""

    @property
    def kind(self) -> str:
        """Say ``matched``, ``false alarm``, ``miss`` or ``left open``; an error denies too."""
        if self.label == "fail":
            return "matched" if self.got in _DENIES else "miss"
        if self.got in _DENIES:
            return "false alarm"
        return "left open" if self.got == "unknown" else "matched"


class Judgement(NamedTuple):
    """Who is right in a disagreement, and why."""

    check: str
    address: str
    right: str
    why: str


class Mapping(NamedTuple):
    """The mapping file: rules by check, and judgements."""

    checks: dict[str, list[str]]
    judgements: list[Judgement]

    def judge(self, verdict: Verdict) -> Judgement | None:
        """Return the judgement of a disagreement; an address in it may be a glob."""
        for one in self.judgements:
            if one.check == verdict.check and glob_matches(one.address, verdict.address):
                return one
        return None


def main() -> int:
    """Compare and print; the exit code says whether the aim is met."""
    options = _arguments()
    entries = _entries(options.labelled)
    if not entries:
        print(f"There are no labelled examples in {options.labelled}.", file=sys.stderr)
        return 2
    mapping = read_mapping(MAPPING)
    verdicts = list(compare(options.labelled, entries, mapping))
    providers = sorted({one.provider for one in verdicts})
    for provider in [options.provider] if options.provider else providers:
        _print_provider(provider, entries, verdicts, mapping)
    if options.unmapped:
        _print_unmapped(entries, mapping)
    share = _share(verdicts)
    print(f"all: {_mapped(entries, mapping)} of {len(entries)} checks mapped, {share:.1%} matched")
    unexplained = [one for one in verdicts if one.kind != "matched" and not mapping.judge(one)]
    return 1 if unexplained or share < WANTED else 0


def read_mapping(path: Path) -> Mapping:
    """Read the mapping file. A judgement says ``tfgate``, ``label`` or ``nobody yet`` is right."""
    document = tomli.loads(path.read_text("utf-8"))
    checks = {
        check: [rules] if isinstance(rules, str) else list(rules)
        for check, rules in document["checks"].items()
    }
    judgements = [
        Judgement(one["check"], address, one["right"], one["why"])
        for one in document["judgements"]
        for address in one["addresses"]
    ]
    return Mapping(checks, judgements)


def compare(folder: Path, entries: Sequence[dict[str, Any]], mapping: Mapping) -> Iterator[Verdict]:
    """Yield the verdict on each label of each mapped check."""
    rulesets = load_rulesets([f"tfgate:{name}" for name in shipped_names()])
    _refuse_unknown_rules(rulesets, mapping)
    for entry in entries:
        rules = mapping.checks.get(entry["check_id"])
        if rules is None:
            continue
        decision = evaluate(load_plan(folder / entry["plan"]), rulesets)
        for label in ("pass", "fail"):
            for address in entry[label]:
                if address not in entry["at_risk"]:
                    got = _verdict(decision, rules, address)
                    yield Verdict(entry["provider"], entry["check_id"], address, label, got)


def _verdict(decision: Decision, rules: Sequence[str], address: str) -> str:
    found = {
        outcome.outcome.value
        for outcome in decision.outcomes
        if outcome.rule in rules and outcome.address == address
    }
    for word in _WORST_FIRST:
        if word in found:
            return word
    passed = any(address in decision.passed.get(rule, ()) for rule in rules)
    return "pass" if passed else "unseen"


def _refuse_unknown_rules(rulesets: Sequence[Ruleset], mapping: Mapping) -> None:
    known = {rule.id for ruleset in rulesets for rule in ruleset.rules}
    named = {rule for rules in mapping.checks.values() for rule in rules}
    if missing := sorted(named - known):
        sys.exit(f"{MAPPING.name} names rules that do not exist: {', '.join(missing)}")


def _entries(folder: Path) -> list[dict[str, Any]]:
    index = folder / "index.json"
    if not index.exists():
        return []
    entries: list[dict[str, Any]] = json.loads(index.read_text("utf-8"))
    return entries


def _share(verdicts: Sequence[Verdict]) -> float:
    return sum(one.kind == "matched" for one in verdicts) / max(len(verdicts), 1)


def _mapped(entries: Sequence[dict[str, Any]], mapping: Mapping) -> int:
    return sum(entry["check_id"] in mapping.checks for entry in entries)


def _print_provider(
    provider: str, entries: Sequence[dict[str, Any]], verdicts: Sequence[Verdict], mapping: Mapping
) -> None:
    own = [entry for entry in entries if entry["provider"] == provider]
    found = [one for one in verdicts if one.provider == provider]
    kinds = Counter(one.kind for one in found)
    print(f"{provider}: {_mapped(own, mapping)} of {len(own)} checks mapped")
    print(f"  labels matched  {kinds['matched']} of {len(found)} ({_share(found):.1%})")
    print(f"  false alarms    {kinds['false alarm']}")
    print(f"  misses          {kinds['miss']}")
    print(f"  left open       {kinds['left open']} (label pass, not known before the apply)")
    for one in found:
        if one.kind != "matched":
            _print_disagreement(one, mapping.judge(one))
    print()


def _print_disagreement(verdict: Verdict, judgement: Judgement | None) -> None:
    print(f"  {verdict.kind}: {verdict.check} {verdict.address}")
    print(f"    label {verdict.label}, verdict {verdict.got}")
    if judgement is None:
        print("    NOT EXPLAINED")
    else:
        print(f"    right: {judgement.right}. {judgement.why}")


def _print_unmapped(entries: Sequence[dict[str, Any]], mapping: Mapping) -> None:
    print("not mapped:")
    for entry in entries:
        if entry["check_id"] not in mapping.checks:
            print(f"  {entry['check_id']} {entry['check_name']}")
    print()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--provider", help="this provider only: aws, azure, gcp")
    parser.add_argument("--unmapped", action="store_true", help="list checks without a rule too")
    parser.add_argument("--labelled", type=Path, default=LABELLED, metavar="FOLDER")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
