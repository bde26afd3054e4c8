"""Targets that go through the command: whatever is wrong with one of its files, it never allows.

``tfgate check`` runs in this process, with a plan that is denied or configuration that denies it;
the input is one of the files. Exit code 0 needs a reason that an independent reading finds too.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import io
import json
import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import click
import tomli

from tests.support.fuzzing import oracle
from tests.support.fuzzing.corpus import inputs_of
from tests.support.fuzzing.wrong import open_plan, right_plan, wrong_plan
from tests.support.plans import context, rule, ruleset
from tfgate.cli.main import main
from tfgate.cli.main import report_error as real_report_error
from tfgate.engine.evaluate import evaluate
from tfgate.errors import TfgateError
from tfgate.exitcodes import ExitCode
from tfgate.model.decision import Verdict
from tfgate.plan import read_plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.ruleset import Ruleset

CONFIG = """\
[gate]
rulesets = ["./rules.toml"]
[audit]
log = "audit.jsonl"
"""
WORDS = frozenset(("title", "message", "remediation", "description", "references", "severity",
                   "controls", "tests", "examples"))  # fmt: skip
"""Keys of a rule that say nothing of what it denies."""
DECISIONS = {ExitCode.ALLOWED: "allow", ExitCode.DENIED: "deny"}
WAIVED = re.compile(
    r"(?:#|//|\*).*tfgate:waive[ \t,\w*?.:/-]*\bF-OPEN\b(?P<fields>[^\n]*(?:\n[^\n]*){0,4})"
)


@functools.cache
def known_rules() -> Ruleset:
    """Return the rules that the oracle knows."""
    with tempfile.TemporaryDirectory() as folder:
        return ruleset(Path(folder), "", header=oracle.RULES)


def verdict(data: bytes, _folder: Path) -> str:
    """Judge the plan by the oracle's rules, without the command: an allow needs its consent."""
    decision = evaluate(read_plan(data), [known_rules()], context())
    if decision.verdict is Verdict.ALLOW and not decision.undecided:
        check_consent(data)
    return decision.verdict.value


def evaluator(data: bytes, folder: Path) -> str:
    """Make a rule of the expression: whatever it says, what other rules deny stays denied."""
    text = data.decode("utf-8", "replace")
    keys = f'deny = {json.dumps(text, ensure_ascii=False)}\nlet = {{ v = "after.ingress[]" }}'
    loaded = ruleset(
        folder, rule("F-ANY", message="{address} {@item}", more=keys), header=oracle.RULES
    )
    plans = [read_plan(plan) for plan in (wrong_plan(), right_plan())]
    wrong, right = (evaluate(plan, [loaded], context()) for plan in plans)
    assert wrong.verdict is Verdict.DENY, "one rule more, and a wrong plan is allowed"
    found = {outcome.outcome.value for outcome in right.outcomes if outcome.rule == "F-ANY"}
    assert found or right.verdict is Verdict.ALLOW
    return f"{right.verdict.value} {sorted(found)}"


def check_consent(data: bytes) -> None:
    """Check that an allowed plan has nothing that the oracle finds wrong."""
    assert oracle.violated(data) == frozenset(), "a plan is allowed that breaks a rule"
    assert oracle.has_reason_to_allow(data), "a plan is allowed of which nothing was judged"


def check(data: bytes, folder: Path) -> str:
    """Check the plan, and what the trail says of it."""
    lay_out(folder)
    code, records = run_check(folder, data)
    assert code in (ExitCode.ALLOWED, ExitCode.DENIED, ExitCode.UNDECIDED)
    assert records, "a decision was due, and nothing is on record"
    if code == ExitCode.ALLOWED:
        check_consent(data)
    return f"exit code {code}, {len(records)} records"


def rules(data: bytes, folder: Path) -> str:
    """Check a wrong plan by a ruleset: while a rule says what it said, the plan is denied."""
    lay_out(folder)
    (folder / "rules.toml").write_bytes(data)
    code, _ = run_check(folder, wrong_plan("F-OPEN"))
    if code == ExitCode.ALLOWED:
        denying = [core for core in _cores(oracle.RULES.encode()) if core["id"] == "F-OPEN"]
        assert denying[0] not in _cores(data), "a rule that is there did not deny"
    return f"exit code {code}"


def policy(data: bytes, folder: Path) -> str:
    """Check a wrong plan under a configuration: unless that says so, it is not allowed."""
    lay_out(folder)
    (folder / "tfgate.toml").write_bytes(data)
    code, _ = run_check(folder, wrong_plan("F-OPEN"))
    if code == ExitCode.ALLOWED:
        said = _policy_of(data)
        good = [_policy_of(path.read_bytes()) for path in inputs_of("policy")]
        assert said not in good, "what denies is there, and did not deny"
    return f"exit code {code}"


def comments(data: bytes, folder: Path) -> str:
    """Check a plan with an open port and this ``main.tf``: a comment must waive it in full."""
    lay_out(folder)
    (folder / "main.tf").write_bytes(data)
    code, _ = run_check(folder, open_plan())
    assert code != ExitCode.USAGE
    if code == ExitCode.ALLOWED:
        assert _waives(data.decode("utf-8-sig")), "no comment waives this"
    return f"exit code {code}"


def _cores(data: bytes) -> list[dict[str, Any]]:
    """Return what each rule of a ruleset denies, without its words."""
    found = tomli.loads(data.decode("utf-8-sig"))["rules"]
    return [{key: rule[key] for key in rule.keys() - WORDS} for rule in found]


def _policy_of(data: bytes) -> dict[str, Any]:
    """Return what a configuration says but of where the trail is."""
    return {**tomli.loads(data.decode("utf-8-sig")), "audit": None}


def _waives(text: str) -> bool:
    """Whether a comment waives F-OPEN in words that a reader takes for a waiver."""
    today = dt.datetime.now(dt.timezone.utc).date().isoformat()
    for found in WAIVED.finditer(text):
        fields = found["fields"]
        days = re.findall(r'expires\s*=\s*"?(\d{4}-\d\d-\d\d)', fields)
        if "reason" in fields and "owner" in fields and any(day >= today for day in days):
            return True
    return False


def lay_out(folder: Path) -> None:
    """Write the files that are as they should be, and leave nothing of the last input."""
    for old in folder.glob("audit*"):
        old.unlink()
    for name in ("rules.toml", "tfgate.toml", "main.tf"):
        text = {"rules.toml": oracle.RULES, "tfgate.toml": CONFIG}.get(name)
        path = folder / name
        if text is not None:
            path.write_text(text)
        elif path.exists():
            path.unlink()


def run_check(folder: Path, plan: bytes) -> tuple[int, list[dict[str, Any]]]:
    """Run ``tfgate check``, and give its exit code and what is on record of it."""
    (folder / "p.json").write_bytes(plan)
    env = {"HOME": str(folder), "PATH": "/nonexistent", "TFGATE_OPERATOR": "olga"}
    said = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    told = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with (
        mock.patch.dict(os.environ, env, clear=True),
        mock.patch("tfgate.cli.main.report_error", _report_error),
        _inside(folder),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(told),
    ):
        code = main(["check", "--config", "tfgate.toml", "p.json"])
    assert code <= ExitCode.UNDECIDED
    records = list(_records(folder / "audit.jsonl"))
    _check_record(code, records)
    return code, records


def _report_error(error: BaseException, *, debug: bool) -> int:
    """Answer as the command does, but let through what it would call unexpected."""
    if isinstance(error, (TfgateError, click.ClickException, OSError)):
        return real_report_error(error, debug=debug)
    raise error


def _check_record(code: int, records: list[dict[str, Any]]) -> None:
    """Check that an allow and a deny are on record, and the worst of several is the exit code."""
    decided = [record.get("decision") for record in records]
    if code in DECISIONS and records:
        assert DECISIONS[ExitCode(code)] in decided
    if code == ExitCode.ALLOWED and records:
        assert set(decided) == {"allow"}


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _records(log: Path) -> Iterator[dict[str, Any]]:
    if log.is_file():
        for line in log.read_bytes().splitlines():
            yield json.loads(line)
