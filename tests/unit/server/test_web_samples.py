"""Each hostile text alone in a run and its plan: what the server answers and shows does nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("dbos", reason="This test needs tfgate[server].")

from tests.support.crowd import is_unicode, plan_of, rule_of
from tests.support.harmless import in_html, in_markdown
from tests.support.hostile import LONG, SAMPLES, commands_in, invisible_in
from tests.support.plans import HEADER
from tfgate.review.html import render_plan
from tfgate.server.asgi import list_page, short_page
from tfgate.server.evaluation import evaluate, plain
from tfgate.server.job import Job, Stage
from tfgate.server.settings import load_policies, load_settings
from tfgate.server.store import Listed
from tfgate.server.work import outcomes_body

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tfgate.server.job import Evaluation

NAMES = [name for name, text in SAMPLES.items() if is_unicode(text)]
CONFIG = '[gate]\nrulesets = ["./policy"]\n[audit]\nlog = "audit.jsonl"\n'


def evaluated(folder: Path, text: str) -> Evaluation:
    """Evaluate a plan that has the text in it, by a rule that has it, for a run that has it."""
    rules = folder / "policy" / "rules"
    rules.mkdir(parents=True)
    (rules.parent / "ruleset.toml").write_text(HEADER)
    (rules / "h-0.toml").write_text(rule_of(0, text), encoding="utf-8")
    (folder / "tfgate.toml").write_text(CONFIG)
    (folder / "server.toml").write_text('[[policy]]\nconfig = "tfgate.toml"\n')
    plan = folder / "plan.json"
    plan.write_bytes(plan_of([text]))
    (policy,) = load_policies(load_settings(folder / "server.toml", {}), {})
    job = Job(0, Stage.POST_PLAN, text, text, str(folder), 1.8e9, text, {"organization": text})
    with plan.open("rb") as file:
        return evaluate(job, file, policy, {}, render_plan)


def wrong(said: Evaluation) -> Iterator[str]:
    """Say what is wrong with an answer."""
    shown = [said.message, said.page or ""]
    for finding in said.findings:
        shown += [finding.id, finding.description, finding.body]
        yield from in_markdown(finding.body)
    for text in shown:
        yield from invisible_in(text)
    yield from commands_in(said.message)
    if said.page is not None:
        yield from in_html(said.page)
    body = outcomes_body(said.message, None, said.findings, most=100, limit=1_000_000)
    if len(json.loads(body)["data"]["relationships"]["outcomes"]["data"]) != len(said.findings):
        yield "a finding is left out"


@pytest.mark.parametrize("sample", NAMES)
def test_no_answer_to_a_run_obeys_a_text(sample: str, tmp_path: Path) -> None:
    """In messages, outcomes (Markdown) and the page of the decision."""
    said = evaluated(tmp_path, SAMPLES[sample])
    assert (said.passed, said.undecided) == (False, False), said
    assert [one.id for one in said.findings] == ["H-0#0"]
    assert list(wrong(said)) == []


@pytest.mark.parametrize("sample", [*SAMPLES, "enormous"])
def test_no_page_of_the_server_obeys_a_text(sample: str) -> None:
    """The list of decisions, and a task that has no review."""
    text = SAMPLES.get(sample, LONG)[:10_000]
    message = plain(LONG if sample == "enormous" else text)
    task = Listed(text, text, text, text, text, text, text, 1.8e9, None, None, message, text)
    for page in (list_page([task], lambda key: "https://gate.example/x"), short_page(task)):
        assert not list(in_html(page))
        assert invisible_in(page) == []
    assert len(message) < 600
