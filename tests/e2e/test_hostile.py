"""Hostile texts wherever they may come from, and every command there is: nothing obeys them.

`tests/unit/report/test_report_samples.py` has each sample alone in each format of a report,
`test_hostile_alone.py` alone in each command; here all of them together come in through plans,
rules, git, the environment and names of files.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import forked
from tests.support.browser import chromium
from tests.support.click_tree import paths
from tests.support.faults import box as boxes
from tests.support.faults.scenarios import SCENARIOS, Scenario
from tests.support.gitrepo import Repo
from tests.support.harmless import problems, problems_of_form
from tests.support.hostile import SAMPLES
from tests.support.parts import require_part
from tests.support.plans import change, plan_bytes
from tfgate.cli.main import cli
from tfgate.report import FORMATS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.faults.box import Box

_FROM_FILES = [text for name, text in SAMPLES.items() if name != "lone surrogates"]
HOSTILE = " ".join(_FROM_FILES)
"""All in one."""
EACH = {f"{number} {text}"[:200]: text for number, text in enumerate(_FROM_FILES)}
"""Each as a key and as a value."""
PRINTABLE = (
    "::error::x ##[error]x ##vso[task.complete]x @octocat #1 <b>x</b> [x](javascript:1) =1+1"
)
"""What a name may be that must be one line of printable characters."""
WAIVERS = f"""
[[waivers]]
rule = "A-9"
address = {json.dumps(PRINTABLE)}
reason = {json.dumps(PRINTABLE)}
owner = {json.dumps(PRINTABLE)}
expires = 2099-01-31
ticket = {json.dumps(PRINTABLE)}
"""
ENVIRONMENT = {
    "TF_WORKSPACE": PRINTABLE,
    "GITHUB_ACTIONS": "true",
    "GITHUB_ACTOR": HOSTILE.replace("\0", ""),
    "GITHUB_REF": f"refs/heads/{PRINTABLE}",
    "GITHUB_SHA": PRINTABLE,
    "GITHUB_SERVER_URL": f"https://github.com/{PRINTABLE}",
    "GITHUB_REPOSITORY": PRINTABLE,
    "GITHUB_RUN_ID": PRINTABLE,
    "CI": "true",
}
MORE = (
    *(Scenario("check", f"bad.json --report {name} --report {name}=out", code=1)
      for name in FORMATS),
    Scenario("check", f"{PRINTABLE.replace(' ', '~').replace('{', '{{')}.json"),
    Scenario("check", "nowhere/##[error]\x1b[2J\u202e.json"),
    Scenario("check", "good.json --report ##[x]=o"),
    Scenario("check", "good.json -r \x1b[2J##[error]x"),
    Scenario("check", "good.json --context \x1b[2J##[error]=1"),
    Scenario("\x1b[2J##[error]x"),
    Scenario("check", "--\x1b[2J##[error]x"),
    Scenario("explain", "bad.json --rule A-1"),
    Scenario("explain", "bad.json --rule \x1b[2J##[error]x"),
    Scenario("explain", "bad.json --rule A-1 --address ##[error]\x1b[2J"),
    Scenario("eval", "bad.json @"),
    Scenario("eval", "bad.json changes[].after"),
    Scenario("eval", "bad.json \x1b[2J##[error]"),
    Scenario("eval", "bad.json keys(@)~||~abs('##[x]')"),
    Scenario("review", "bad.json --full --action all"),
    Scenario("audit show", "##[error]\x1b[2J"),
    Scenario("audit show", "{decided} --last 9"),
    Scenario("audit search", "--json"),
    *(Scenario("audit report", f"--format {name} --output report.{name}")
      for name in ("html", "csv", "json")),
    Scenario("audit sql", "select~'##[error]'||char(27)~from~records"),
    *(Scenario("impact", f"--base HEAD^ --plans ../../work/plans --jobs 1 --format {name}",
               cwd="gate/repo", config="history") for name in ("json", "markdown")),
    Scenario("impact", "--base ##[error]\x1b[2J --plans ../../work/plans", cwd="gate/repo",
             config="history"),
    Scenario("waivers list", "--json"),
    Scenario("rules log", "A-1 --json", config="history"),
    Scenario("rules show", "\x1b[2J##[error]x"),
    Scenario("schema", "##[error]\x1b[2J"),
    Scenario("completion", "##[error]\x1b[2J"),
)  # fmt: skip
ALL = {one.name: one for one in (*SCENARIOS, *MORE) if one.config not in ("sinking", "strict")}
TEXTS = frozenset({".json", ".html", ".csv", ".md", ".xml", ".sarif", ".txt", ".toml", ""})
GIVEN = frozenset({"good.json", "bad.json", "state.json", "a.json", "b.json", "schema.json"})
MACHINE = frozenset({"github"})


def _plan(owner: str | None) -> bytes:
    tags: dict[str, Any] = {} if owner is None else {"Owner": owner}
    after = {"bucket": HOSTILE, "tags": {**tags, **EACH}, "list": list(EACH.values())}
    key = json.dumps(HOSTILE)
    extra = [] if owner else [
        change(f"aws_s3_bucket.logs[{key}]", ["create"], after, index=HOSTILE,
               after_unknown={"arn": True}),
        change(f"module.m[{key}].aws_s3_bucket.logs", ["update"], after, before={"bucket": "x"},
               module_address=f"module.m[{key}]", deposed=HOSTILE),
        change("aws_s3_bucket.type", ["create"], after, provider_name=HOSTILE,
               action_reason=HOSTILE, previous_address=HOSTILE),
    ]  # fmt: skip
    outputs = {
        text: {"actions": ["create"], "before": None, "after": text, "after_unknown": False}
        for text in EACH
    }
    return plan_bytes(
        change("aws_s3_bucket.logs", ["create"], after, after_unknown={"arn": True}),
        *extra,
        output_changes=outputs,
        checks=[{"address": {"kind": HOSTILE, "to_display": HOSTILE}, "status": HOSTILE,
                 "instances": [{"problems": [{"message": HOSTILE}]}]}],
        variables={text: {"value": text} for text in EACH},
    )  # fmt: skip


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Box:
    """A box full of hostile texts."""
    words = json.dumps(HOSTILE[:1_500], ensure_ascii=True)
    template = words.replace("{", "{{").replace("}", "}}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boxes, "_plan", _plan)
        patch.setattr(boxes, "CONFIG", boxes.CONFIG + WAIVERS)
        for name in ("RULES", "LATER"):
            rule = getattr(boxes, name)
            title = rule.split('title = "')[1].split('"')[0]
            rule = rule.replace(f'"{title}"', json.dumps(PRINTABLE))
            rule = rule.replace(" has no owner", " {after.bucket} {after.list} " + PRINTABLE)
            for cure in ("Add one.", "Wait."):
                rule = rule.replace(f'"{cure}"', f"{template}\ndescription = {words}")
            patch.setattr(boxes, name, rule)
        patch.setattr(boxes, "Repo", _HostileRepo)
        return boxes.build(tmp_path_factory.mktemp("hostile") / "box")


class _HostileRepo(Repo):
    """One whose author and messages are hostile."""

    def commit(self, message: str = "x", **more: Any) -> str:
        who = (PRINTABLE.replace("<", "").replace(">", ""), "##[error]@acme.example")
        more.setdefault("author", who)
        text = HOSTILE.replace("\0", "")
        return super().commit(f"{PRINTABLE}\n\n{text}\n\nReviewed-by: {PRINTABLE}", **more)


@pytest.fixture
def box(template: Box, tmp_path: Path) -> Box:
    """One to use up."""
    return template.copy(tmp_path / "box")


def test_every_command_is_tried() -> None:
    """A new one has to be: its scenario belongs to the others'."""
    tried = {one.command for one in ALL.values()}
    assert tried >= set(paths(cli)) - {"audit deliver", "audit status"}


@pytest.mark.parametrize("name", ALL)
def test_no_command_passes_on_what_a_terminal_or_a_log_obeys(name: str, box: Box) -> None:
    """Neither on standard output and standard error, nor in what it writes."""
    scenario = ALL[name]
    before = {path: path.stat().st_mtime_ns for path in box.root.rglob("*") if path.is_file()}
    ran = forked.run(
        scenario.words(box),
        cwd=box.root / scenario.cwd,
        env={**box.env, **ENVIRONMENT, **scenario.environment(box)},
        typed=scenario.typed.encode(),
    )
    assert ran.code in range(5), ran
    words = set(scenario.arguments.replace("=", " ").split())
    found = problems("out", ran.out, machine=bool(words & MACHINE))
    found += problems("err", ran.err)
    for path in sorted(box.root.rglob("*")):
        if not path.is_file() or path.suffix not in TEXTS or path.name in GIVEN:
            continue
        if ".git" in path.parts or path.stat().st_mtime_ns == before.get(path):
            continue
        if path.suffix == ".csv":
            found += problems_of_form(path.name, path.read_bytes())
        own = box.work in path.parents or path.parent == box.root / scenario.cwd
        if own and b"\0" not in path.read_bytes():
            found += problems(path.name, path.read_bytes(), machine=True)
    assert found == []


PAGES = {
    "report.html": Scenario("check", "bad.json --report html=report.html", code=1),
    "review.html": Scenario("review", "bad.json --full --html review.html", code=1),
    "audit.html": Scenario("audit report", "--format html --output audit.html"),
}
TRIED = """
document.querySelectorAll('details').forEach((one) => { one.open = true; });
document.querySelectorAll('body *').forEach((one) => {
  for (const name of ['mouseover', 'focus', 'load', 'error', 'toggle'])
    one.dispatchEvent(new Event(name, {bubbles: true}));
});
['img', 'iframe', 'object', 'embed', 'base', 'svg[onload]', 'link', 'textarea']
  .map((name) => document.querySelectorAll(name).length).join()
"""


def test_no_page_runs_or_asks_for_anything(box: Box, tmp_path: Path) -> None:
    """In a real browser: no element of a text's, no dialog, no request, no word in the console."""
    program = require_part("chromium")
    for scenario in PAGES.values():
        ran = forked.run(scenario.words(box), cwd=box.work, env={**box.env, **ENVIRONMENT})
        assert ran.code == scenario.code, ran
    with chromium(program, tmp_path / "profile") as browser:
        for name in PAGES:
            path = box.work / name
            assert "Content-Security-Policy" in path.read_text()
            page = browser.page(path.as_uri())
            assert page.run(TRIED) == "0,0,0,0,0,0,0,0"
            links = "[...document.links].map((one) => one.protocol).join()"
            assert set(page.run(links).split(",")) <= {"file:", "https:", ""}
            text = page.run("document.body.textContent")
            assert name == "audit.html" or "<script>alert(1)</script>" in text
            assert page.requests() == [path.as_uri()]
            assert page.complaints() == []
            dialogs = [one for one in browser.events if "Dialog" in str(one.get("method"))]
            assert dialogs == []
            page.close()
