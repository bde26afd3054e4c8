"""The run-task server, driven by a fake HCP Terraform over TLS with real Terraform plans."""

from __future__ import annotations

import io
import json
import re
import signal
import tarfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("dbos", reason="This test needs tfgate[server].")
pytest.importorskip("trustme", reason="This test needs trustme.")

from tests.support.hcp import FakeHcp, get, post, reply, sign
from tests.support.task_server import OPERATOR, TaskServer, records

if TYPE_CHECKING:
    from collections.abc import Iterator

PLANS = Path(__file__).parents[2] / "testdata" / "plans"
DENYING = """
[ruleset]
id = "test"
version = "1.0.0"
title = "Rules of a test"
owners = ["tester@tfgate.example"]

[[rules]]
id = "T-NO"
title = "Nothing is made"
severity = "high"
enforcement = "hard-mandatory"
match = { types = ["*"], actions = ["create", "update", "replace", "delete"] }
deny = "address"
message = "{address} would be changed"
"""
OPEN_RULE = """
[[rules]]
id = "T-ID"
title = "The id is short"
severity = "low"
enforcement = "soft-mandatory"
on_unknown = "verify"
match = { types = ["terraform_data"], actions = ["create"] }
require = "length(after.id) < `1000`"
message = "{address} has a long id"
"""


@pytest.fixture(scope="module")
def hcp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeHcp]:
    """Yield the other side, with every real plan."""
    fake = FakeHcp(tmp_path_factory.mktemp("hcp"))
    for path in PLANS.glob("*.json"):
        fake.plans[path.name] = path.read_bytes()
    yield fake
    fake.close()


@pytest.fixture(scope="module")
def server(hcp: FakeHcp, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TaskServer]:
    """Yield a running server whose teams have different rules."""
    server = TaskServer(tmp_path_factory.mktemp("gate"), hcp)
    (server.folder / "deny.toml").write_text(DENYING)
    (server.folder / "open.toml").write_text(DENYING.split("[[rules]]")[0] + OPEN_RULE)
    server.policies = (
        '[[policy]]\nconfig = "tfgate.toml"\norganization = "strict"\nrulesets = ["deny.toml"]\n'
        '[[policy]]\nconfig = "tfgate.toml"\nproject = "later"\nrulesets = ["open.toml"]\n'
        '[[policy]]\nconfig = "tfgate.toml"\norganization = "acme"\n'
    )
    server.extra = "[limits]\nheartbeat_seconds = 1\n"
    server.start()
    yield server
    server.close()


def test_every_real_plan_is_answered_once(server: TaskServer, hcp: FakeHcp) -> None:
    """Each plan of testdata gets one final answer, and its decision is on record."""
    names = sorted(hcp.plans)
    for number, name in enumerate(names):
        assert server.submit(hcp.payload(f"taskrs-all-{number}", name))[0] == 200
    said = {
        name: hcp.wait(f"taskrs-all-{number}")["attributes"] for number, name in enumerate(names)
    }
    assert said["create.json"]["status"] == "passed"
    assert said["errored.json"]["status"] == "failed"
    time.sleep(0.5)
    assert {len(hcp.finals(f"taskrs-all-{number}")) for number in range(len(names))} == {1}
    assert hcp.leaks == []


def test_findings_are_outcomes_and_the_page_shows_them(server: TaskServer, hcp: FakeHcp) -> None:
    """A denied plan has one outcome a finding, sent while running, and a page behind its link."""
    payload = hcp.payload("taskrs-deny", "create.json", organization_name="strict")
    assert server.submit(payload)[0] == 200
    final = hcp.wait("taskrs-deny")
    assert final["attributes"]["status"] == "failed"
    sent = [r for r in hcp.results["taskrs-deny"] if "relationships" in r]
    assert [r["attributes"]["status"] for r in sent] == ["running"]
    outcomes = sent[0]["relationships"]["outcomes"]["data"]
    denied = [o["attributes"] for o in outcomes if o["attributes"]["outcome-id"].startswith("T-NO")]
    assert denied
    assert denied[0]["tags"]["Status"] == [{"label": "Denied", "level": "error"}]
    assert denied[0]["tags"]["Severity"] == [{"label": "High", "level": "error"}]
    link = final["attributes"]["url"].replace("https://gate.example", server.url)
    status, page = get(link)
    assert status == 200
    assert "T-NO" in page
    assert get(link[:-1] + ("0" if link[-1] != "0" else "1"))[0] == 403
    assert get(re.sub(r"expires=\d+", "expires=9999999999", link))[0] == 403
    assert get(re.sub(r"taskrs-deny", "taskrs-all-0", link))[0] == 403


def test_without_the_capability_no_outcomes(server: TaskServer, hcp: FakeHcp) -> None:
    """A caller that does not say that it takes outcomes gets none."""
    payload = hcp.payload("taskrs-none", "create.json", organization_name="strict")
    del payload["capabilities"]
    assert server.submit(payload)[0] == 200
    hcp.wait("taskrs-none")
    assert all("relationships" not in r for r in hcp.results["taskrs-none"])


def test_the_misspelt_capability_counts(server: TaskServer, hcp: FakeHcp) -> None:
    """``capabilitites`` is what go-tfe sends."""
    payload = hcp.payload("taskrs-typo", "create.json", organization_name="strict")
    payload["capabilitites"] = payload.pop("capabilities")
    assert server.submit(payload)[0] == 200
    hcp.wait("taskrs-typo")
    assert any("relationships" in r for r in hcp.results["taskrs-typo"])


def test_verification_is_taken_and_never_called_back(server: TaskServer, hcp: FakeHcp) -> None:
    """Creating a run task asks once with ``test-token``."""
    payload = hcp.payload("taskrs-test", None, access_token="test-token", stage="test")
    assert server.submit(payload) == (200, {"status": "verification"})
    time.sleep(1)
    assert hcp.results["taskrs-test"] == []


def test_signatures(server: TaskServer, hcp: FakeHcp) -> None:
    """No signature, a wrong one and one of another body are 401, and nothing is judged."""
    body = json.dumps(hcp.payload("taskrs-sign", "create.json")).encode()
    url = f"{server.url}/run-task"
    assert post(url, body, None)[0] == 401
    assert post(url, body, "")[0] == 401
    assert post(url, body, "0" * 128)[0] == 401
    assert post(url, body, sign(body + b" "))[0] == 401
    assert post(url, body, sign(body, "another key"))[0] == 401
    assert post(url, body, sign(body).upper())[0] == 200
    hcp.wait("taskrs-sign")


def test_delivered_twice_is_judged_once(server: TaskServer, hcp: FakeHcp) -> None:
    """Ten deliveries of one request, some after the answer, make one record and one answer."""
    payload = hcp.payload("taskrs-twice", "create.json")
    for _ in range(5):
        assert server.submit(payload)[0] == 200
    hcp.wait("taskrs-twice")
    for _ in range(5):
        assert server.submit(payload) == (200, {"status": "repeated"})
    time.sleep(1)
    assert len(hcp.finals("taskrs-twice")) == 1
    of_run = [r for r in records(server) if r["run"]["id"] == "run-taskrs-twice"]
    assert len(of_run) == 1


def test_who_started_the_run_is_proven_by_the_key(server: TaskServer, hcp: FakeHcp) -> None:
    """The request names who did, and is signed: the record says so, and whose word that is."""
    server.submit(hcp.payload("taskrs-who", "create.json"))
    hcp.wait("taskrs-who")
    (record,) = [r for r in records(server) if r["run"]["id"] == "run-taskrs-who"]
    assert record["operator_facts"] == {
        "name": "jane",
        "source": "run-task",
        "verified": True,
        "issuer": hcp.api.partition("/api")[0],
        "subject": "jane",
        "claims": {"organization_name": "acme", "run_id": "run-taskrs-who"},
        "token_id": "taskrs-who",
    }


def test_a_plan_that_is_not_ready_is_waited_for(server: TaskServer, hcp: FakeHcp) -> None:
    """204 means later; heartbeats go out meanwhile, and none after the answer."""
    seen: list[float] = []

    def later(request: Any) -> None:
        seen.append(time.monotonic())
        ready = len(seen) > 3
        reply(request, 200 if ready else 204, hcp.plans["create.json"] if ready else b"")

    hcp.pages["/plans/later"] = later
    assert server.submit(hcp.payload("taskrs-later", "later"))[0] == 200
    assert hcp.wait("taskrs-later")["attributes"]["status"] == "passed"
    time.sleep(1.5)
    statuses = [r["attributes"]["status"] for r in hcp.results["taskrs-later"]]
    assert statuses.count("running") >= 2
    assert statuses[-1] == "passed"


def test_a_result_that_is_refused_for_now_is_sent_again(server: TaskServer, hcp: FakeHcp) -> None:
    """Errors of the other side do not lose an answer."""
    hcp.refusals["taskrs-busy"] = [503, 500, 429, 502, 503]
    assert server.submit(hcp.payload("taskrs-busy", "create.json"))[0] == 200
    assert hcp.wait("taskrs-busy")["attributes"]["status"] == "passed"


def test_a_terraform_that_is_too_old_fails_with_the_reason(
    server: TaskServer, hcp: FakeHcp
) -> None:
    """422 of the plan is final."""
    hcp.pages["/plans/old"] = lambda request: reply(request, 422, b"{}")
    assert server.submit(hcp.payload("taskrs-old", "old"))[0] == 200
    said = hcp.wait("taskrs-old")["attributes"]
    assert said["status"] == "failed"
    assert "too old" in said["message"]


def test_no_policy_is_a_failure(server: TaskServer, hcp: FakeHcp) -> None:
    """A workspace that no table is for is not let through."""
    payload = hcp.payload("taskrs-nobody", "create.json", organization_name="unknown")
    assert server.submit(payload)[0] == 200
    said = hcp.wait("taskrs-nobody")["attributes"]
    assert said["status"] == "failed"
    assert "policy" in said["message"]


def test_before_the_apply_the_plan_is_judged_again(server: TaskServer, hcp: FakeHcp) -> None:
    """A pre_apply with another plan says so, and is evaluated by that plan."""
    run = {"run_id": "run-pair"}
    server.submit(hcp.payload("taskrs-p1", "create.json", **run))
    hcp.wait("taskrs-p1")
    server.submit(hcp.payload("taskrs-p2", "create.json", stage="pre_apply", **run))
    same = hcp.wait("taskrs-p2")["attributes"]
    assert same["status"] == "passed"
    assert "evaluated again" not in same["message"]
    server.submit(hcp.payload("taskrs-p3", "errored.json", stage="pre_apply", **run))
    assert hcp.wait("taskrs-p3")["attributes"]["status"] == "failed"
    server.submit(hcp.payload("taskrs-p4", "update.json", stage="pre_apply", **run))
    assert "evaluated again" in hcp.wait("taskrs-p4")["attributes"]["message"]


def archive(**files: str) -> bytes:
    """Return a tar.gz of files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name.replace("__", "/") + ".tf")
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


def test_before_the_plan_the_sources_are_judged(server: TaskServer, hcp: FakeHcp) -> None:
    """pre_plan downloads the configuration, and rules on sources find what is in it."""
    hcp.plans["config"] = archive(
        root__main='module "x" {\n  source = "git::https://example.com/x.git"\n}\n',
    )
    payload = hcp.payload(
        "taskrs-source",
        None,
        stage="pre_plan",
        configuration_version_download_url=f"{hcp.api}/plans/config",
        workspace_working_directory="root",
    )
    assert server.submit(payload)[0] == 200
    said = hcp.wait("taskrs-source")["attributes"]
    assert "could not decide" not in said["message"]
    decision = next(r for r in records(server) if r["run"]["id"] == "run-taskrs-source")
    assert decision["counts"]["fail"] > 0


def test_a_configuration_that_is_none_fails(server: TaskServer, hcp: FakeHcp) -> None:
    """Whatever is not a readable archive is a failure with a reason."""
    hcp.plans["bad-config"] = b"not a tar"
    payload = hcp.payload(
        "taskrs-badtar",
        None,
        stage="pre_plan",
        configuration_version_download_url=f"{hcp.api}/plans/bad-config",
    )
    assert server.submit(payload)[0] == 200
    said = hcp.wait("taskrs-badtar")["attributes"]
    assert said["status"] == "failed"
    assert "tar.gz" in said["message"]


def test_after_the_apply_obligations_are_checked_or_said_to_be_open(
    server: TaskServer, hcp: FakeHcp
) -> None:
    """Where the state cannot be had, a task with open obligations says so; without, it passes."""
    run = {"run_id": "run-after", "project_name": "later"}
    server.submit(hcp.payload("taskrs-o1", "create.json", **run))
    assert hcp.wait("taskrs-o1")["attributes"]["status"] == "passed"
    server.submit(hcp.payload("taskrs-o2", None, stage="post_apply", **run))
    said = hcp.wait("taskrs-o2")["attributes"]
    assert said["status"] == "failed"
    assert "state" in said["message"]
    other = {"run_id": "run-after2"}
    server.submit(hcp.payload("taskrs-o3", "no-op.json", **other))
    hcp.wait("taskrs-o3")
    server.submit(hcp.payload("taskrs-o4", None, stage="post_apply", **other))
    assert hcp.wait("taskrs-o4")["attributes"]["status"] == "passed"


@pytest.mark.parametrize(("length", "status"), [(3, "passed"), (2000, "failed")])
def test_after_the_apply_the_state_decides(
    server: TaskServer, hcp: FakeHcp, length: int, status: str
) -> None:
    """Where the run's token may read the state, what was unknown is judged on it."""
    run = {"run_id": f"run-state{length}", "project_name": "later", "workspace_id": f"ws-{length}"}
    server.submit(hcp.payload(f"taskrs-s1-{length}", "create.json", **run))
    hcp.wait(f"taskrs-s1-{length}")
    values = json.loads(hcp.plans["create.json"])["planned_values"]
    for resource in values["root_module"]["resources"]:
        resource["values"] = {**resource.get("values", {}), "id": "x" * length}
    state = {"format_version": "1.0", "terraform_version": "1.9.0", "values": values}
    hcp.plans[f"state{length}"] = json.dumps(state).encode()
    link = f"{hcp.api}/plans/state{length}"
    version = {"data": {"attributes": {"hosted-json-state-download-url": link}}}
    path = f"/api/v2/workspaces/ws-{length}/current-state-version"
    hcp.pages[path] = lambda request: reply(request, 200, json.dumps(version).encode())
    server.submit(hcp.payload(f"taskrs-s2-{length}", None, stage="post_apply", **run))
    said = hcp.wait(f"taskrs-s2-{length}")["attributes"]
    assert said["status"] == status, said


def test_the_operator_sees_the_list_and_nobody_else(server: TaskServer, hcp: FakeHcp) -> None:
    """The list needs the operator's token; a run's text is only ever text in it."""
    evil = "<script>alert(1)</script>"
    server.submit(hcp.payload("taskrs-evil", "create.json", workspace_name=evil))
    hcp.wait("taskrs-evil")
    assert get(f"{server.url}/decisions")[0] == 401
    assert get(f"{server.url}/decisions", Authorization="Bearer wrong")[0] == 401
    status, page = get(f"{server.url}/decisions", Authorization=f"Bearer {OPERATOR}")
    assert status == 200
    assert "run-taskrs-evil" in page
    assert evil not in page


def test_operations(server: TaskServer, hcp: FakeHcp) -> None:
    """Health, readiness and numbers; every line about a task names its run."""
    server.submit(hcp.payload("taskrs-ops", "create.json"))
    hcp.wait("taskrs-ops")
    assert get(f"{server.url}/healthz") == (200, '{"status":"ok"}')
    assert get(f"{server.url}/readyz") == (200, '{"status":"ready"}')
    end = time.monotonic() + 10
    while time.monotonic() < end:  # HCP has the answer before the server has noted that it has
        events = [x["event"] for x in server.lines() if x.get("run_id") == "run-taskrs-ops"]
        numbers = get(f"{server.url}/metrics")[1]
        if "answered" in events and "tfgate_answers_total{" in numbers:
            break
        time.sleep(0.1)
    assert events == ["accepted", "judged", "answered"]
    assert 'tfgate_requests_total{result="accepted"}' in numbers
    assert 'tfgate_answers_total{stage="post_plan",status="passed"}' in numbers


def test_no_token_is_kept(server: TaskServer, hcp: FakeHcp) -> None:
    """Neither databases nor logs nor records have a token in clear, before or after the answer."""
    server.submit(hcp.payload("taskrs-token", "create.json"))
    hcp.wait("taskrs-token")
    for path in server.folder.rglob("*"):
        if path.is_file():
            assert b"run-token-of-a-test" not in path.read_bytes(), path


def test_reload_is_whole_or_not_at_all(hcp: FakeHcp, tmp_path: Path) -> None:
    """Broken rules leave the old ones in force and say so; sound ones are used from then on."""
    server = TaskServer(tmp_path / "gate", hcp).start()
    process = server.process
    assert process is not None
    try:
        (server.folder / "deny.toml").write_text("this is not a ruleset")
        server.rules("deny.toml")
        process.send_signal(signal.SIGHUP)
        wait_for(server, lambda line: line.get("event") == "reload" and not line["taken"])
        server.submit(hcp.payload("taskrs-r1", "create.json"))
        assert hcp.wait("taskrs-r1")["attributes"]["status"] == "passed"
        (server.folder / "deny.toml").write_text(DENYING)
        process.send_signal(signal.SIGHUP)
        wait_for(server, lambda line: line.get("event") == "reload" and line["taken"])
        # On disk it is broken again, and in force all the same.
        (server.folder / "deny.toml").write_text("this is not a ruleset")
        server.submit(hcp.payload("taskrs-r2", "create.json"))
        assert hcp.wait("taskrs-r2")["attributes"]["status"] == "failed"
        assert 'tfgate_reloads_total{result="refused"} 1.0' in get(f"{server.url}/metrics")[1]
    finally:
        server.close()


def wait_for(server: TaskServer, fits: Any, seconds: float = 30.0) -> None:
    """Wait for a log line."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if any(fits(line) for line in server.lines()):
            return
        time.sleep(0.05)
    raise AssertionError(server.lines()[-5:])


def test_stop_finishes_what_is_in_work(hcp: FakeHcp, tmp_path: Path) -> None:
    """SIGTERM ends the server with 0 after the tasks in work are answered."""
    server = TaskServer(tmp_path / "gate", hcp).start()
    try:
        for number in range(5):
            server.submit(hcp.payload(f"taskrs-stop{number}", "create.json"))
        wait_for(server, lambda line: line.get("event") == "judged")
        assert server.stop() == 0
        server.start()
        for number in range(5):
            hcp.wait(f"taskrs-stop{number}")
        time.sleep(0.5)
        assert {len(hcp.finals(f"taskrs-stop{n}")) for n in range(5)} == {1}
    finally:
        server.close()
