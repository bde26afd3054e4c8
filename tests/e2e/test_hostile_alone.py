"""Each hostile text alone in its own rule, change, waiver, commit and record: every command.

`test_hostile.py` has all of them together in everything; here no text hides behind another's
beginning or end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import forked
from tests.support.crowd import ask_for, forge, is_unicode, settle
from tests.support.faults import box as boxes
from tests.support.faults.scenarios import DORA, Scenario, atlantis_of
from tests.support.harmless import problems, problems_of_form
from tests.support.hostile import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.faults.box import Box

AT_ONCE = 13
"""So few that no report leaves one out."""
NAMES = [name for name, text in SAMPLES.items() if is_unicode(text)]
GROUPS = {
    f"{names[0]} to {names[-1]}": names
    for names in (NAMES[start : start + AT_ONCE] for start in range(0, len(NAMES), AT_ONCE))
}
_SIGN = "--key {gate}/keys/approver --reason test --expires 2h --yes"
_IMPACT = "--base v1 --plans ../../work/plans --jobs 1"
_REPORTS = (
    "text=r.txt markdown=r.md html=r.html sarif=r.sarif gitlab=gl.json junit=r.xml json=r.json "
    "github=r.txt2 atlantis=r.txt3"
)
COMMANDS = (
    Scenario("check", "bad.json --approval-request asked.json", code=1),
    Scenario("check", "bad.json " + " ".join(f"--report {one}" for one in _REPORTS.split()),
             code=1),
    Scenario("check", "plans", code=1),
    Scenario("approve", f"asked.json {_SIGN} --output ok.json", env=DORA),
    Scenario("check", "bad.json --approval ok.json"),
    Scenario("review", "bad.json --full", code=1),
    Scenario("review", "bad.json --full --html review.html", code=1),
    *(Scenario("explain", f"bad.json --rule H-{number}") for number in range(AT_ONCE)),
    Scenario("eval", "bad.json @"),
    Scenario("eval", "bad.json changes[].after.[bucket,tags]"),
    Scenario("rules list"),
    *(Scenario("rules show", f"H-{number}") for number in range(AT_ONCE)),
    Scenario("rules docs", "{gate}/policy --out pages"),
    Scenario("rules lint", "{gate}/policy", code=1),
    Scenario("rules test", "{gate}/policy --junit junit.xml", code=1),
    Scenario("rules log", config="history"),
    Scenario("rules log", "--json", config="history"),
    Scenario("rules review", "--base v1", cwd="gate/repo", config="history"),
    Scenario("impact", _IMPACT, cwd="gate/repo", config="history"),
    Scenario("impact", f"{_IMPACT} --format json --output impact.json", cwd="gate/repo",
             config="history"),
    Scenario("impact", f"{_IMPACT} --format markdown --output impact.md", cwd="gate/repo",
             config="history"),
    Scenario("waivers list"),
    Scenario("waivers list", "--json"),
    Scenario("waivers import", "sources --owner a@b.example --expires 2099-01-31 --output w.toml"),
    Scenario("config"),
    Scenario("atlantis", env=atlantis_of("bad")),
    Scenario("rules new",
             "A-9 --from bad.json --address aws_s3_bucket.old0 --attribute bucket --out a9.toml"),
    Scenario("audit verify"),
    Scenario("audit search"),
    Scenario("audit search", "--json"),
    Scenario("audit show", "--last 99"),
    *(Scenario("audit report", f"--output audit.{form}") for form in ("html", "csv", "json")),
    Scenario("audit export", "--decision last --output bundle.zip"),
    Scenario("audit sql", "select~*~from~records"),
)  # fmt: skip
ALL_RULES = tuple(
    one
    for one in COMMANDS
    if one.command in ("rules list", "atlantis", "rules log", "rules review", "review", "impact")
    and not {"--html", "--output"} & set(one.arguments.split())
)
"""Those whose output speaks of every rule."""
GIVEN = frozenset(
    {
        "forged.jsonl",
        "forged.json",
        "good.json",
        "bad.json",
        "state.json",
        "schema.json",
        "a.json",
        "b.json",
    }
)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Box:
    """A box without a hostile text."""
    return boxes.build(tmp_path_factory.mktemp("alone") / "box")


def _said(
    box: Box, words: list[str], codes: set[int], cwd: Path, rules: int = 0, **env: str
) -> list[str]:
    """Run a command and say what is wrong with how it ended and what it printed.

    So many ``rules`` are spoken of.
    """
    ran = forked.run(words, cwd=cwd, env={**box.env, **env})
    found = [*problems("out", ran.out), *problems("err", ran.err)]
    if ran.code not in codes:
        found.append(f"exit code {ran.code}: {ran.err.decode()[-500:]}")
    found += [f"H-{n} is left out" for n in range(rules) if f"H-{n}" not in ran.out.decode()]
    return [f"{words}: {one}" for one in found]


def _of_the_line(box: Box, text: str) -> Iterator[str]:
    """Have the text in arguments and in the variables of CI systems."""
    text = text.replace("\0", "")
    variables = ("GITHUB_ACTOR", "GITHUB_REF", "GITHUB_SHA", "GITHUB_SERVER_URL", "GITHUB_RUN_ID",
                 "GITHUB_REPOSITORY", "TFGATE_OPERATOR", "TF_WORKSPACE")  # fmt: skip
    env = dict.fromkeys(variables, text)
    yield from _said(box, ["check", "good.json"], {0, 2, 3}, box.work, CI="1",
                     GITHUB_ACTIONS="true", **env)  # fmt: skip
    for words in (["eval", text, text], ["explain", "bad.json", "--rule", text]):
        yield from _said(box, words, {2, 3}, box.work)


def without_prose(page: bytes) -> bytes:
    """Leave out what is Markdown of the rule's author: description and remediation."""
    title, _, rest = page.partition(b"\n\n")
    head = title + rest.partition(b"\n\n")[0]
    facts = b"| | |\n" + page.partition(b"\n| | |\n")[2]
    before, _, after = facts.partition(b"\n## How to fix it\n")
    return b"\n\n".join((head, before, b"## The rule" + after.partition(b"\n## The rule")[2]))


def _written(box: Box) -> Iterator[str]:
    """Say what is wrong with the files that the commands wrote."""
    for path in sorted(box.work.rglob("*")):
        if path.is_file() and path.name not in GIVEN and "sources" not in path.parts:
            data = path.read_bytes()
            if b"\0" not in data:
                yield from problems(path.name, data, machine=True)
                page = "pages" in path.parts
                yield from problems_of_form(path.name, without_prose(data) if page else data)


FORGED = (
    Scenario("audit verify", "forged.jsonl", code=3),
    Scenario("audit verify", "forged.jsonl --all", code=3),
    Scenario("audit search", "forged.jsonl"),
    Scenario("audit search", "--json forged.jsonl"),
    Scenario("audit show", "--log forged.jsonl --last 99"),
    *(Scenario("audit report", f"forged.jsonl --output audit.{form}")
      for form in ("html", "csv", "json")),
    Scenario("audit sql", "select~*~from~records --file forged.jsonl", code=2),
)  # fmt: skip


@pytest.mark.parametrize("group", GROUPS)
def test_nothing_obeys_what_others_have_forged(group: str, template: Box, tmp_path: Path) -> None:
    """Records that no trail of tfgate would hold, requests that no check wrote."""
    texts = [SAMPLES[name] for name in GROUPS[group]]
    box = template.copy(tmp_path / "box", git=False)
    forge(box, texts)
    found = []
    for scenario in FORGED:
        found += _said(box, scenario.words(box), {scenario.code}, box.work)
    sign = ("--key", str(box.gate / "keys" / "approver"), "--reason", "x", "--output", "x.json")
    for text in texts:
        ask_for(box, text)
        found += _said(box, ["approve", "forged.json", *sign], {1, 2}, box.work)
    found += _written(box)
    assert not found, "\n".join(dict.fromkeys(found))


@pytest.mark.parametrize("group", GROUPS)
def test_no_command_obeys_a_text_that_stands_alone(
    group: str, template: Box, tmp_path: Path
) -> None:
    """Nor does a terminal, a CI system, a browser or a spreadsheet that shows what they said."""
    texts = [SAMPLES[name] for name in GROUPS[group]]
    box = template.copy(tmp_path / "box")
    settle(box, texts)
    found = [one for text in texts for one in _of_the_line(box, text)]
    for scenario in COMMANDS:
        words = scenario.words(box)
        if words[-1][:2] == "H-" and int(words[-1][2:]) >= len(texts):
            continue
        cwd = box.root / scenario.cwd
        rules = len(texts) if scenario in ALL_RULES else 0
        found += _said(box, words, {scenario.code}, cwd, rules, **scenario.environment(box))
    found += _written(box)
    assert not found, "\n".join(dict.fromkeys(found))
