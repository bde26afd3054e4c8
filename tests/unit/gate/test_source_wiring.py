"""Sources in check: lines, waivers in comments, rules on sources, and sources of another plan."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.gitrepo import commit_all
from tests.support.plans import HEADER, change, plan_bytes, rule
from tfgate.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

SCOPE = 'scope = "source"\n'
NO_PUBLIC = rule("T-1", enforcement="soft-mandatory", deny="after.public", message="{address}")
BUCKET = """
resource "aws_s3_bucket" "logs" {
  public = true
}
"""


class Checked:
    """What a check printed and recorded."""

    def __init__(self, code: int, report: dict[str, Any], record: dict[str, Any]) -> None:
        self.code = code
        self.report = report
        self.record = record

    def outcomes(self, rule_id: str) -> list[dict[str, Any]]:
        return [
            one
            for one in self.report["outcomes"]
            if one["rule"] == rule_id and one["outcome"] != "pass"
        ]

    def lines(self, rule_id: str) -> list[str | None]:
        places = [one.get("location") for one in self.outcomes(rule_id)]
        return [None if place is None else f"{place['file']}:{place['line']}" for place in places]

    @property
    def built_in(self) -> set[str]:
        return {one["rule"] for one in self.report["outcomes"] if one["rule"].startswith("TFGATE-")}


class Gate:
    """A directory with a configuration, rules and perhaps a plan."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rules(NO_PUBLIC)

    def rules(self, text: str) -> None:
        (self.folder / "rules.toml").write_text(HEADER + text, encoding="utf-8")

    def write(self, name: str, text: str | bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else textwrap.dedent(text).encode())

    def plan(self, *changes: dict[str, Any]) -> Checked:
        given = changes or (change(after={"public": True}),)
        (self.folder / "plan.json").write_bytes(plan_bytes(*given))
        return self.run("check", "plan.json")

    def commit(self) -> None:
        """Have it in git, as what waives has to be."""
        commit_all(self.folder)

    def sources(self, *more: str) -> Checked:
        return self.run("check", "--source", ".", *more)

    def run(self, *arguments: str) -> Checked:
        code = main(
            [*arguments, "-r", "rules.toml", "--audit-log", "audit.jsonl", "--report",
             "json=report.json"]
        )  # fmt: skip
        report = json.loads((self.folder / "report.json").read_text("utf-8"))
        record = json.loads((self.folder / "audit.jsonl").read_text("utf-8").splitlines()[-1])
        return Checked(code, report, record)


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gate:
    monkeypatch.chdir(tmp_path)
    return Gate(tmp_path)


def test_a_finding_points_at_the_attribute(gate: Gate) -> None:
    """The line to mend, not the block it is in."""
    gate.write("main.tf", BUCKET)
    assert gate.plan().lines("T-1") == ["main.tf:3"]


def test_elements_of_a_set_find_their_own_block(gate: Gate) -> None:
    """A plan has the elements of a set in an order of its own."""
    gate.rules(rule(deny="after.ingress[?from_port == `22`]", message="{address}"))
    gate.write(
        "main.tf",
        """
        resource "aws_security_group" "a" {
          ingress {
            from_port = 22
          }
          ingress {
            from_port = 443
          }
        }
        """,
    )
    ingress = [{"from_port": 443}, {"from_port": 22}]
    checked = gate.plan(change("aws_security_group.a", after={"ingress": ingress}))
    assert checked.lines("T-1") == ["main.tf:3"]
    assert checked.outcomes("T-1")[0]["attribute"] == "ingress[1]"


def test_nothing_is_parsed_where_nothing_must_be_said(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No source rule, no finding and no marker of a waiver: neither blocks nor values are read."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a file was looked into")

    gate.write("main.tf", BUCKET)
    monkeypatch.setattr("tfgate.hcl.source_blocks.contents", refuse)
    monkeypatch.setattr("tfgate.hcl.sources.SourceFile.body", property(refuse))
    assert gate.plan(change(after={"public": False})).code == 0


WAIVE = '# tfgate:waive {rule} reason="a test" expires={expires} owner=team'


def waived_by(gate: Gate, comment: str) -> Checked:
    gate.write("main.tf", f"{comment}\n{BUCKET.strip()}\n")
    gate.commit()
    return gate.plan()


def test_a_comment_waives_and_is_on_record(gate: Gate) -> None:
    """With its place, in report and record."""
    checked = waived_by(gate, WAIVE.format(rule="T-1", expires="2999-01-31"))
    assert checked.code == 0
    (outcome,) = checked.outcomes("T-1")
    assert outcome["outcome"] == "waived"
    (finding,) = checked.record["findings"]
    assert finding["waiver"]["location"]["line"] == 1
    assert finding["waiver"]["kind"] == "comment"


def test_a_comment_waives_every_instance(gate: Gate) -> None:
    """A block stands for all that it makes."""
    gate.write("main.tf", WAIVE.format(rule="T-1", expires="2999-01-31") + BUCKET)
    gate.commit()
    instance = change('aws_s3_bucket.logs["a.b"]', after={"public": True}, index="a.b")
    assert gate.plan(instance).code == 0


@pytest.mark.parametrize(
    ("comment", "found"),
    [
        (WAIVE.format(rule="T-1", expires="2020-01-31"), "TFGATE-WAIVER-EXPIRED"),
        (WAIVE.format(rule="T-1", expires="31.1.2999"), "TFGATE-WAIVER-MALFORMED"),
        (WAIVE.format(rule="T-9", expires="2999-01-31"), "TFGATE-WAIVER-UNKNOWN-RULE"),
        (WAIVE.format(rule="T-*", expires="2999-01-31"), "TFGATE-WAIVER-GLOB"),
        ("# tfgate:waive T-1 expires=2999-01-31 owner=team", "TFGATE-WAIVER-NO-REASON"),
        (WAIVE.format(rule="T-1", expires="2999-01-31") + "\n\n", "TFGATE-WAIVER-UNATTACHED"),
    ],
)
def test_what_is_wrong_with_a_comment_is_a_finding(gate: Gate, comment: str, found: str) -> None:
    """It waives nothing, and says why, with its line."""
    checked = waived_by(gate, comment)
    assert checked.code == 1
    assert checked.built_in == {found}
    assert checked.lines(found) == ["main.tf:1"]


def test_a_comment_that_waives_nothing_is_a_finding(gate: Gate) -> None:
    """The rule holds, so the comment can go."""
    gate.write("main.tf", WAIVE.format(rule="T-1", expires="2999-01-31") + BUCKET)
    checked = gate.plan(change(after={"public": False}))
    assert checked.code == 0
    assert checked.built_in == {"TFGATE-WAIVER-UNUSED"}


def test_a_comment_on_what_is_left_alone_is_no_finding(gate: Gate) -> None:
    """In this plan the rule did not look; in another it may."""
    gate.write("main.tf", WAIVE.format(rule="T-1", expires="2999-01-31") + BUCKET)
    unchanged = change(actions=["no-op"], before={"public": True}, after={"public": True})
    other = change("aws_s3_bucket.other", after={"public": False})
    gate.write("other.tf", 'resource "aws_s3_bucket" "other" {\n}\n')
    assert gate.plan(unchanged, other).built_in == set()


def test_globs_where_the_configuration_allows_them(gate: Gate) -> None:
    """Whether a comment may name rules by a glob is the gate's to say."""
    gate.write("tfgate.toml", "[gate]\ncomment_waiver_globs = true\n")
    assert waived_by(gate, WAIVE.format(rule="T-*", expires="2999-01-31")).code == 0


def test_a_comment_that_is_not_committed(gate: Gate) -> None:
    """It waives no more than advisory rules, unless the gate's owner says otherwise."""
    gate.write("main.tf", WAIVE.format(rule="T-1", expires="2999-01-31") + BUCKET)
    checked = gate.plan()
    assert checked.code == 1
    assert checked.built_in == {"TFGATE-WAIVER-UNCOMMITTED"}
    gate.write("main.tf", BUCKET)
    gate.commit()
    gate.write("main.tf", WAIVE.format(rule="T-1", expires="2999-01-31") + BUCKET)
    assert gate.plan().code == 1
    gate.rules(NO_PUBLIC.replace("soft-mandatory", "advisory"))
    assert [one["outcome"] for one in gate.plan().outcomes("T-1")] == ["waived"]
    gate.rules(NO_PUBLIC)
    gate.write("tfgate.toml", "[gate]\nuncommitted_waivers = true\n")
    assert gate.plan().code == 0


def test_what_windows_makes_of_line_ends_is_committed(gate: Gate) -> None:
    """A checkout may have other line ends than the commit."""
    text = WAIVE.format(rule="T-1", expires="2999-01-31") + BUCKET
    gate.write("main.tf", text)
    gate.commit()
    gate.write("main.tf", text.replace("\n", "\r\n").encode())
    assert gate.plan().code == 0


@pytest.mark.parametrize(
    "moved", ["other/main.tf", "main.tf.json"], ids=["another directory", "another name"]
)
def test_the_same_content_elsewhere_is_another_file(gate: Gate, moved: str) -> None:
    """What was reviewed for one place is not for all."""
    text = WAIVE.format(rule="T-1", expires="2999-01-31") + BUCKET
    gate.write(moved, text)
    gate.commit()
    gate.write("main.tf", text)
    (gate.folder / moved).unlink()
    assert gate.plan().code == 1


@pytest.mark.parametrize("text", [b'resource "x" "y" {', b"\xff\xfe"])
def test_no_comment_waives_where_not_all_of_the_sources_can_be_read(
    gate: Gate, text: bytes
) -> None:
    """Terraform has not planned them: they are another plan's, or somebody hides something."""
    gate.write("main.tf", WAIVE.format(rule="T-1", expires="2999-01-31") + BUCKET)
    gate.write("broken.tf", text)
    gate.commit()
    checked = gate.plan()
    assert checked.code == 1
    assert checked.built_in == {"TFGATE-WAIVER-NOT-PERMITTED"}


@pytest.mark.parametrize("source", ["./gone", "acme/gone/aws"])
def test_only_modules_from_elsewhere_may_be_missing(gate: Gate, source: str) -> None:
    """What nobody here may waive in need not be at hand."""
    waive = WAIVE.format(rule="T-1", expires="2999-01-31")
    gate.write("main.tf", f'{waive}{BUCKET}module "m" {{\n  source = "{source}"\n}}\n')
    gate.commit()
    assert gate.plan().code == (1 if source == "./gone" else 0)


def test_a_level_that_comments_may_not_waive(gate: Gate) -> None:
    """Nor the level, in which hard-mandatory is not."""
    gate.rules(NO_PUBLIC.replace("soft-mandatory", "hard-mandatory"))
    checked = waived_by(gate, WAIVE.format(rule="T-1", expires="2999-01-31"))
    assert checked.code == 1
    assert checked.built_in == {"TFGATE-WAIVER-NOT-PERMITTED"}


def test_sources_of_another_plan(gate: Gate) -> None:
    """No line is shown that misleads, and no comment waives."""
    gate.write("main.tf", WAIVE.format(rule="T-1", expires="2999-01-31") + BUCKET)
    gate.commit()
    checked = gate.plan(change(after={"public": True}), change("aws_vpc.gone", after={}))
    assert checked.code == 1
    assert checked.lines("T-1") == [None]
    (mismatch,) = checked.outcomes("TFGATE-SOURCES-MISMATCH")
    assert "aws_vpc.gone" in mismatch["message"]
    assert mismatch["enforcement"] == "advisory"


def test_sources_of_another_plan_are_told_without_any_finding(gate: Gate) -> None:
    """Also where there was no line to show."""
    gate.write("main.tf", BUCKET)
    checked = gate.plan(change("aws_vpc.gone", after={}))
    assert checked.code == 0
    assert checked.built_in == {"TFGATE-SOURCES-MISMATCH"}


@pytest.mark.parametrize("action", ["delete", "forget"])
def test_what_goes_has_no_block_rightly(gate: Gate, action: str) -> None:
    """A resource that was taken out of the configuration is no sign of other sources."""
    gate.write("main.tf", BUCKET)
    gone = change("aws_vpc.gone", actions=[action], before={}, after=None)
    assert gate.plan(change(after={}), gone).built_in == set()


def test_rules_on_the_sources_of_another_plan_deny(gate: Gate) -> None:
    """They judged what is not applied, whatever they say of it."""
    gate.rules(rule("T-2", enforcement="advisory", deny="body.secret", more=SCOPE))
    gate.write("main.tf", BUCKET)
    checked = gate.plan(change("aws_vpc.gone", after={}))
    assert checked.code == 1
    assert checked.outcomes("TFGATE-SOURCES-MISMATCH")[0]["outcome"] == "error"


def test_rules_on_sources_beside_a_plan(gate: Gate) -> None:
    """One decision on both, which says what it rests on."""
    gate.rules(NO_PUBLIC + rule("T-2", deny="body.public", message="{address}", more=SCOPE))
    gate.write("main.tf", BUCKET)
    checked = gate.plan()
    assert checked.lines("T-1") == checked.lines("T-2") == ["main.tf:3"]
    assert checked.report["sources"]["files"] == 1
    assert checked.record["sources"] == checked.report["sources"]


def test_a_rule_on_sources_without_sources_denies(gate: Gate) -> None:
    """A gate that cannot evaluate its rules does not open."""
    gate.rules(rule("T-2", enforcement="advisory", deny="body.public", more=SCOPE))
    checked = gate.plan()
    assert checked.code == 1
    assert [one["outcome"] for one in checked.outcomes("T-2")] == ["error"]


def test_sources_alone(gate: Gate) -> None:
    """Rules on plans are left out, and the record is of no plan."""
    gate.rules(NO_PUBLIC + rule("T-2", deny="body.public", message="{address}", more=SCOPE))
    gate.write("main.tf", BUCKET)
    checked = gate.sources()
    assert checked.code == 1
    assert {one["rule"] for one in checked.report["outcomes"]} == {"T-2"}
    assert "plan" not in checked.report
    assert checked.record["plan"] is None
    assert checked.record["plan_sha256"] is None
    assert checked.record["sources"]["root"] == "."


def test_a_comment_waives_rules_on_sources(gate: Gate) -> None:
    """And one that is for a rule on plans is no finding where only sources are judged."""
    gate.rules(
        NO_PUBLIC
        + rule(
            "T-2", enforcement="soft-mandatory", deny="body.public", message="{address}", more=SCOPE
        )
    )
    comments = "\n".join(WAIVE.format(rule=name, expires="2999-01-31") for name in ("T-1", "T-2"))
    gate.write("main.tf", f"{comments}\n{BUCKET.strip()}\n")
    checked = gate.sources()
    assert checked.code == 0
    assert [one["outcome"] for one in checked.outcomes("T-2")] == ["waived"]
    assert checked.built_in == set()


def test_no_rule_on_sources_decides_nothing(gate: Gate) -> None:
    """That is no reason to allow."""
    gate.write("main.tf", BUCKET)
    assert gate.sources().code == 3


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("broken.tf", b"\xff\xfe"),
        ("broken.tf", b'resource "x" "y" {'),
        ("broken.tf.json", b'{"resource": '),
        ("broken.tf", b'resource "x" "y" {\n  a = = 1\n}\n'),
    ],
)
def test_what_cannot_be_read_lets_no_rule_on_sources_pass(
    gate: Gate, name: str, content: bytes
) -> None:
    """Anything could stand there; the finding names the file, and the exit code is not 0."""
    gate.rules(rule("T-2", enforcement="advisory", deny="body.public", more=SCOPE))
    gate.write("main.tf", 'resource "a" "b" {}\n')
    gate.write(name, content)
    checked = gate.sources()
    assert checked.code == 1
    assert {one["outcome"] for one in checked.outcomes("T-2")} == {"error"}
    assert name in json.dumps(checked.outcomes("T-2"))


def test_what_cannot_be_read_hides_no_finding_on_the_plan(gate: Gate) -> None:
    """It only costs its line, and is told once."""
    gate.write("main.tf", BUCKET)
    gate.write("broken.tf", b"\xff\xfe")
    checked = gate.plan()
    assert checked.lines("T-1") == ["main.tf:3"]
    assert sum("broken.tf" in warning for warning in checked.report["warnings"]) == 1


def test_a_module_that_is_called_twice_is_waived_for_both_or_not_at_all(gate: Gate) -> None:
    """The finding is on the one file: a waiver on one call must not silence the other's."""
    gate.rules(rule("T-2", enforcement="soft-mandatory", deny="body.public", more=SCOPE))
    gate.write("m/main.tf", BUCKET)
    waive = WAIVE.format(rule="T-2", expires="2999-01-31")
    first = f'{waive}\nmodule "a" {{\n  source = "./m"\n}}\n'
    second = 'module "b" {\n  source = "./m"\n}\n'
    gate.write("main.tf", first + second)
    assert gate.sources().code == 1
    gate.write("main.tf", first + waive + "\n" + second)
    assert gate.sources().code == 0


def test_downloaded_modules_are_not_under_review(gate: Gate) -> None:
    """What terraform init fetched is nobody's here to mend."""
    gate.rules(rule("T-2", deny="body.public", more=SCOPE))
    gate.write("main.tf", 'module "a" {\n  source = "acme/a/aws"\n}\n')
    gate.write(".terraform/modules/a/main.tf", BUCKET)
    modules = [{"Key": "", "Source": "", "Dir": "."},
               {"Key": "a", "Source": "x", "Dir": ".terraform/modules/a"}]  # fmt: skip
    gate.write(".terraform/modules/modules.json", json.dumps({"Modules": modules}))
    assert gate.sources().code == 0


def test_an_expression_leaves_no_obligation(gate: Gate) -> None:
    """No apply makes it known: what a soft rule tolerates is tolerated, and a hard one denies."""
    soft = rule("T-2", enforcement="soft-mandatory", deny="body.public", more=SCOPE)
    gate.write("main.tf", 'resource "a" "b" {\n  public = var.p\n}\n')
    gate.rules(soft)
    checked = gate.sources()
    assert checked.code == 0
    assert checked.report["obligations"] == []
    assert [one["outcome"] for one in checked.outcomes("T-2")] == ["unknown"]
    gate.rules(soft.replace("soft-", "hard-"))
    assert gate.sources().code == 1


def test_without_any_ruleset_the_shipped_rules_on_sources_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The default rulesets have none."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "main.tf").write_text('provider "acme" {\n  token = "correct horse"\n}\n')
    assert main(["check", "--source", ".", "--no-audit"]) == 1
    out = capsys.readouterr().out
    assert "SRC-SEC-002" in out
    assert "main.tf:2" in out
    assert "correct horse" not in out


@pytest.mark.parametrize("more", [["plan.json"], ["--root", "."]])
def test_a_plan_and_source_exclude_each_other(more: list[str]) -> None:
    """It would not be clear what was judged."""
    assert main(["check", "--source", ".", *more]) == 2
    assert main(["check"]) == 2
