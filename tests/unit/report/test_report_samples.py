"""Each hostile sample in each place that has a text, in each format there is."""

from __future__ import annotations

import datetime as dt
import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt

from tests.support.decisions import HARD, context, decision, outcome
from tests.support.hostile import EVIL, LONG, SAMPLES, commands_in, invisible_in
from tests.unit.report.test_report_hostile import read_html
from tfgate.model.address import Location
from tfgate.model.decision import Operator, OutcomeKind, RulesetFacts, Waiver, Workspace
from tfgate.model.rule import Enforcement, OnUnknown
from tfgate.plan.change import LONGEST_NAME
from tfgate.report import FORMATS, render
from tfgate.ruleset.template import MAX_MESSAGE

if TYPE_CHECKING:
    from tfgate.model.decision import Decision

TERMINAL = ("text", "github", "atlantis")
SECONDS = 5.0
ROOM = 2_000_000
"""Characters of any report of a decision whose every text is as long as it can be."""


def everywhere(text: str) -> Decision:
    """A decision that has the text in every place, as far as its readers let it through.

    A plan's reader refuses longer addresses, a ruleset's longer texts, and a message is cut.
    """
    name, line, prose = text[:LONGEST_NAME], text[:300], text[:20_000]
    file = text[:4_096]
    fields: dict[str, Any] = {
        "title": line,
        "message": text[:MAX_MESSAGE],
        "remediation": prose,
        "location": Location(file, 1, calls=(Location(file, 2),)),
        "type": name,
        "action": name,
        "attribute": name,
        "ruleset": line,
        "controls": {line: (line,)},
        "references": (text[:2_000],),
        "deposed": name,
    }
    reason = text[:2_000]
    waiver = Waiver(line, name, reason, line, dt.date(2027, 1, 1), ticket=line, source=file)
    return decision(
        outcome("RULE-1", f'aws_s3_bucket.b["{name}"]', **fields),
        outcome(line, name, enforcement=HARD, **fields),
        outcome("RULE-2", name, enforcement=Enforcement.ADVISORY, **fields),
        outcome("RULE-3", name, OutcomeKind.UNKNOWN, on_unknown=OnUnknown.VERIFY, **fields),
        outcome("RULE-4", name, OutcomeKind.WAIVED, waiver=waiver, **fields),
        outcome("RULE-5", name, OutcomeKind.ERROR, **fields),
        passed={line: (name, f"x.{name}")},
        warnings=(file,),
        reasons=(prose,),
        workspace=Workspace(line, line, backend=line, identity={line: line}),
        operator=Operator(line, line),
        rulesets=(RulesetFacts(line, line, line, line, file, owners=(line,), commit=line),),
    )


def surroundings(text: str) -> Any:
    """Circumstances that have it too."""
    file = text[:4_096]
    return context(plan_name=file, fallback_file=file, path_prefix=file, decision_id=file)


def check(name: str, text: str, sample: str) -> None:
    """The format's reader accepts it, and it does nothing."""
    text.encode()
    assert invisible_in(text) == []
    if name in TERMINAL:
        found = commands_in(text)
        if name == "github":
            found = [one for one in found if not one.startswith(("::error ", "::warning ",
                                                                "::notice "))]  # fmt: skip
        assert found == []
    CHECKS.get(name, lambda text, sample: None)(text, sample)


def check_json(text: str, sample: str) -> None:
    """Whoever decodes it gets the very text."""
    report = json.loads(text)
    assert report["decision"] == "deny" or report["outcomes"]


def check_sarif(text: str, sample: str) -> None:
    """Each address is relative or of a web page; no message has a link."""

    def walk(value: Any, key: str = "") -> None:
        if isinstance(value, dict):
            for name, part in value.items():
                walk(part, name)
        elif isinstance(value, list):
            for part in value:
                walk(part, key)
        elif key.lower().endswith("uri"):
            parts = urlsplit(value)
            assert parts.scheme in ("", "https"), value
            assert parts.scheme or not value.startswith("/"), value
        elif key == "text":
            assert "](" not in value

    walk(json.loads(text))


def check_markdown(text: str, sample: str) -> None:
    """No link but one of the report's own, no image, no markup of the sample's."""
    for token in MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(text):
        for inner in token.children or [token]:
            if inner.type in ("html_inline", "html_block"):
                for own in ("<details>", "</details>", "<summary>", "</summary>", "<br>", "<!--"):
                    inner.content = inner.content.replace(own, "")
                assert "<" not in inner.content.replace("<b>", "").replace("</b>", ""), inner
            assert inner.type != "image"
            if inner.type == "link_open":
                assert EVIL not in str(inner.attrs.get("href")) or sample.startswith("https://")
            if inner.type == "text":
                assert "@octocat" not in inner.content
                assert "GH-3" not in inner.content


def check_html(text: str, sample: str) -> None:
    """Every tag is one of the report's, and the policy forbids what is not."""
    read_html(text)
    assert "Content-Security-Policy" in text
    assert "default-src 'none'" in text


CHECKS: dict[str, Any] = {
    "json": check_json,
    "sarif": check_sarif,
    "gitlab": lambda text, sample: json.loads(text),
    "junit": lambda text, sample: ElementTree.fromstring(text),
    "markdown": check_markdown,
    "html": check_html,
}


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("name", FORMATS)
def test_a_sample_does_nothing_wherever_it_stands(name: str, sample: str) -> None:
    """Each alone: what neutralises one may not be what neutralises another."""
    text = SAMPLES[sample]
    check(name, render(name, everywhere(text), surroundings(text)), text)


@pytest.mark.parametrize("name", FORMATS)
def test_texts_of_the_greatest_length_do_nothing_and_take_little_room(name: str) -> None:
    """In every place at once, in a moment."""
    case = everywhere(LONG)
    start = time.process_time()
    text = render(name, case, surroundings(LONG))
    assert time.process_time() - start < SECONDS
    assert len(text) < ROOM
    check(name, text, LONG)
