"""Receipts from the check to the apply that uses them up, with the real ssh-keygen."""

from __future__ import annotations

import base64
import datetime as dt
import json
import multiprocessing
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from tests.support.judging import NOW, RULES, Bench, plan_json
from tests.support.signing import signer
from tfgate.approvals.approve import Approver, read_request, sign_approval, statement_of
from tfgate.audit.signing import APPROVALS, RECEIPTS
from tfgate.audit.writer import AlreadyRecordedError, AuditTrail
from tfgate.errors import UsageError
from tfgate.exitcodes import ExitCode
from tfgate.gate.apply import Grant, decision_alone
from tfgate.gate.approvals import request_for
from tfgate.gate.documents import MAX_DOCUMENT, encode_document, pae, seal
from tfgate.gate.gather import load_config
from tfgate.gate.receipts import (
    Documents,
    WithReceipt,
    check_with_documents,
    resource_uri,
    write_receipt,
)
from tfgate.gate.record import Recorder
from tfgate.gate.statement import PAYLOAD_TYPE
from tfgate.model.decision import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ALLOWED = plan_json("short")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A gate of the test's own."""
    return Bench(tmp_path)


def issue(bench: Bench, data: bytes = ALLOWED, **changes: Any) -> Path:
    """Check a plan file and write its receipt."""
    request = replace(bench.request, **changes)
    judged = bench.judge(data=data, **changes)
    config = load_config(request)
    path = bench.folder / "receipt.json"
    write_receipt(judged, request, Recorder.of(config, request), path)
    return path


def grant(bench: Bench, path: Path, data: bytes = ALLOWED, **changes: Any) -> Grant:
    """Judge the plan file again, and ask whether the receipt lets it through."""
    judged = bench.judge(data=data, **changes)
    plan_sha256 = judged.gathered.input.plan_file_sha256
    assert plan_sha256 is not None
    now = changes.get("now", NOW)
    return WithReceipt(path, bench.request.env)(judged, plan_sha256, now)


def refused(bench: Bench, path: Path, data: bytes = ALLOWED, **changes: Any) -> str:
    """Return why the receipt lets nothing through."""
    given = grant(bench, path, data, **changes)
    assert (given.allowed, given.exit_code) == (False, ExitCode.DENIED)
    assert given.records == ()
    (note,) = given.notes
    assert note.startswith("The receipt receipt.json is refused: ")
    return note


def payload_of(path: Path) -> dict[str, Any]:
    """Read what a receipt says."""
    statement: dict[str, Any] = json.loads(
        base64.b64decode(json.loads(path.read_text())["payload"])
    )
    return statement


def test_a_receipt_says_what_was_decided(bench: Bench) -> None:
    """In the words of in-toto and SLSA, and beside them in our own."""
    statement = payload_of(issue(bench))
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://slsa.dev/verification_summary/v1"
    assert [subject["name"] for subject in statement["subject"]] == ["p.tfplan", "p.tfplan.json"]
    predicate = statement["predicate"]
    assert predicate["verifier"]["id"] == "tfgate:gate"
    assert predicate["timeVerified"] == "2026-11-24T12:00:00Z"
    assert predicate["resourceUri"] == "tfgate:workspace/default"
    assert predicate["verificationResult"] == "PASSED"
    assert predicate["verifiedLevels"] == ["TFGATE_ALLOWED"]
    assert [each["id"] for each in predicate["policy"]["annotations"]["rulesets"]] == ["test"]
    facts = predicate["tfgate:receipt/v1"]
    decision, issued = bench.records()
    assert (decision["event"], issued["event"]) == ("decision", "receipt_issued")
    assert facts["decision_id"] == decision["decision_id"]
    assert facts["record"] == {"seq": decision["seq"], "hash": decision["hash"]}
    assert facts["operator"]["name"] == "olga"
    assert facts["expires"] == "2026-11-25T12:00:00Z"
    assert facts["configuration"][0]["file"] == "tfgate.toml"


def test_a_receipt_lets_its_plan_through_and_is_used_up(bench: Bench) -> None:
    """What is recorded names the receipt; a second use is refused with the first one's id."""
    path = issue(bench)
    given = grant(bench, path)
    assert given.allowed
    ((event, fields),) = given.records
    assert event == "receipt_used"
    assert (fields["signer"], fields["receipt_operator"]) == ("gate", "olga")
    trail = AuditTrail(bench.folder / "audit.jsonl")
    trail.append(event, {"decision_id": "first", **fields})
    assert "it was used already, by the decision first at 20" in refused(bench, path)
    with pytest.raises(AlreadyRecordedError):
        trail.append(event, {"decision_id": "second", **fields})


def test_another_way_of_writing_it_is_no_other_receipt(bench: Bench) -> None:
    """What is signed is the receipt, not the file: spaces and a new signature change nothing."""
    path = issue(bench)
    ((event, fields),) = grant(bench, path).records
    AuditTrail(bench.folder / "audit.jsonl").append(event, {"decision_id": "first", **fields})
    envelope = json.loads(path.read_text())
    path.write_text(json.dumps(envelope))
    assert "used already" in refused(bench, path)
    payload = base64.b64decode(envelope["payload"])
    path.write_bytes(seal(payload, PAYLOAD_TYPE, bench.gate, RECEIPTS))
    assert "used already" in refused(bench, path)


def _race(log: str, fields: dict[str, Any], results: Any) -> None:
    try:
        AuditTrail(log).append("receipt_used", fields)
        results.put("used")
    except AlreadyRecordedError:
        results.put("refused")


@pytest.mark.slow
def test_of_several_applies_at_once_one_uses_it(bench: Bench) -> None:
    """The search for an earlier use and the record of this one are under one lock."""
    ((_, fields),) = grant(bench, issue(bench)).records
    spawn = multiprocessing.get_context("spawn")
    results: Any = spawn.Queue()
    log = str(bench.folder / "audit.jsonl")
    processes = [spawn.Process(target=_race, args=(log, fields, results)) for _ in range(4)]
    for process in processes:
        process.start()
    ended = sorted(results.get(timeout=60) for _ in processes)
    for process in processes:
        process.join(timeout=60)
    assert ended == ["refused", "refused", "refused", "used"]


def test_a_receipt_replaces_no_judgement(bench: Bench) -> None:
    """Where the plan is denied now, a receipt that says PASSED opens nothing."""
    path = issue(bench)
    bench.write("rules.toml", RULES.format(level="hard-mandatory", approvals=1).replace("9", "2"))
    given = grant(bench, path)
    assert (given.allowed, given.exit_code) == (False, ExitCode.DENIED)


def test_a_receipt_of_a_denied_decision_opens_nothing(bench: Bench) -> None:
    """It says FAILED, and stays of no use when the decision has changed since."""
    path = issue(bench, plan_json())
    predicate = payload_of(path)["predicate"]
    assert predicate["verificationResult"] == "FAILED"
    assert predicate["verifiedLevels"] == ["FAILED"]
    bench.write("rules.toml", RULES.format(level="advisory", approvals=1))
    assert "did not allow the plan" in refused(bench, path, plan_json())


def test_approvals_are_named_as_inputs(bench: Bench) -> None:
    """The receipt of a decision that rests on approvals names each by its digest."""
    asked = bench.folder / "request.json"
    asked.write_bytes(encode_document(request_for(bench.judge(), bench.request)))
    statement = statement_of(read_request(asked), Approver("", "because", NOW))
    approval = bench.folder / "a.json"
    approval.write_bytes(sign_approval(statement, str(bench.alice)))
    request = replace(bench.request, approvals=(str(approval),))
    judged = bench.judge(approval)
    path = bench.folder / "receipt.json"
    write_receipt(judged, request, Recorder.of(load_config(request), request), path)
    (used,) = judged.result.decision.approvals
    inputs = payload_of(path)["predicate"]["inputAttestations"]
    assert inputs == [{"uri": f"tfgate:approval/{used.digest}", "digest": {"sha256": used.digest}}]
    given = WithReceipt(path, request.env)(
        bench.judge(approval), judged.gathered.input.plan_file_sha256 or "", NOW
    )
    assert [event for event, _ in given.records] == ["receipt_used", "approval_used"]
    without = bench.judge()
    assert not WithReceipt(path, request.env)(without, "", NOW).allowed


CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "another plan": ({"data": plan_json("brief")}, "it is for another plan"),
    "another workspace": ({"workspace": "prod"}, "it is for another workspace"),
    "expired": ({"now": NOW + dt.timedelta(hours=25)}, "it has expired"),
    "of the future": ({"now": NOW - dt.timedelta(hours=1)}, "made in the future"),
    "other settings": (
        {"flags": {"gate.evaluate": "all"}},
        "levels, parameters, data files, waivers or settings are not those of the check",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_receipt_for_something_else(bench: Bench, name: str) -> None:
    """Another plan, place, time or policy."""
    changes, sentence = CHANGES[name]
    assert sentence in refused(bench, issue(bench), **changes)


def test_a_shorter_life_at_the_apply_counts(bench: Bench) -> None:
    """The gate that applies may trust a receipt for less time than the one that checked."""
    path = issue(bench)
    bench.config("")
    text = (bench.folder / "tfgate.toml").read_text()
    bench.write("tfgate.toml", text.replace("[receipts]", "[receipts]\nmax_hours = 2"))
    assert grant(bench, path, now=NOW + dt.timedelta(hours=1)).allowed
    assert "it has expired" in refused(bench, path, now=NOW + dt.timedelta(hours=3))


def test_a_changed_ruleset_is_named(bench: Bench) -> None:
    """Rules other than those of the check: check again."""
    path = issue(bench)
    bench.write("rules.toml", RULES.format(level="soft-mandatory", approvals=1) + "\n# changed\n")
    note = refused(bench, path)
    assert "the rulesets in force are not those of the check (test)" in note


def test_a_changed_waiver_is_another_policy(bench: Bench) -> None:
    """Waivers in files belong to what was judged by."""
    path = issue(bench)
    bench.config(
        '[[waivers]]\nrule = "T-IN"\naddress = "x"\nreason = "r"\nowner = "o"\n'
        "expires = 2027-01-31\n"
    )
    assert "waivers or settings are not those" in refused(bench, path)


def _tampered(_: Bench, path: Path) -> bytes:
    envelope = json.loads(path.read_text())
    payload = base64.b64decode(envelope["payload"]).replace(b"PASSED", b"FAILED")
    return json.dumps({**envelope, "payload": base64.b64encode(payload).decode()}).encode()


def _signed(change: Callable[[dict[str, Any]], None]) -> Callable[[Bench, Path], bytes]:
    def make(bench: Bench, path: Path) -> bytes:
        statement = payload_of(path)
        change(statement)
        return seal(json.dumps(statement).encode(), PAYLOAD_TYPE, bench.gate, RECEIPTS)

    return make


def _by(name: str, namespace: str) -> Callable[[Bench, Path], bytes]:
    def make(bench: Bench, path: Path) -> bytes:
        payload = base64.b64decode(json.loads(path.read_text())["payload"])
        return seal(payload, PAYLOAD_TYPE, bench.folder / name, namespace)

    return make


BAD: dict[str, tuple[Callable[[Bench, Path], bytes], str]] = {
    "not JSON": (lambda *_: b"PASSED", "it is not JSON"),
    "a key twice": (
        lambda _, path: path.read_bytes().replace(b"{", b'{"payload": "e30=", ', 1),
        "a key is there twice",
    ),
    "tampered": (_tampered, "it does not fit what is signed"),
    "unknown key": (_by("mallory", RECEIPTS), "does not let its key sign this"),
    "key of an approver": (_by("alice", RECEIPTS), "does not let its key sign this"),
    "another namespace": (_by("gate", APPROVALS), "another purpose (namespace)"),
    "no statement": (
        lambda bench, _: seal(b"{}", PAYLOAD_TYPE, bench.gate, RECEIPTS),
        "it has not the shape",
    ),
    "another predicate": (_signed(lambda it: it.update(predicateType="x")), "another kind"),
    "another verifier": (
        _signed(lambda it: it["predicate"]["verifier"].update(id="https://ci.example")),
        "its verifier is not tfgate:gate",
    ),
    "neither passed nor failed": (
        _signed(lambda it: it["predicate"].update(verificationResult="passed")),
        "did not allow the plan",
    ),
    "no subject": (_signed(lambda it: it.update(subject=[])), "it is for another plan"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_receipt(bench: Bench, name: str) -> None:
    """It lets nothing through, and the note says why."""
    make, sentence = BAD[name]
    path = issue(bench)
    path.write_bytes(make(bench, path))
    assert sentence in refused(bench, path)


def test_members_that_nobody_knows_are_passed_over(bench: Bench) -> None:
    """in-toto: "Consumers MUST ignore unrecognized fields"."""
    path = issue(bench)
    path.write_bytes(_signed(lambda it: it["predicate"].update(newer=1))(bench, path))
    assert grant(bench, path).allowed


def test_a_file_that_must_not_be_read(bench: Bench) -> None:
    """Missing, a pipe, a link, huge: wrong usage, and nothing is applied."""
    good = issue(bench)
    folder = bench.folder
    os.mkfifo(folder / "pipe")
    (folder / "link").symlink_to(good)
    with (folder / "huge").open("wb") as file:
        file.truncate(MAX_DOCUMENT + 1)
    for name in ("missing", "pipe", "link", "huge"):
        with pytest.raises(UsageError):
            grant(bench, folder / name)


def test_nobody_is_named(bench: Bench) -> None:
    """The approvers' file is not taken for the gates'."""
    path = issue(bench)
    text = (bench.folder / "tfgate.toml").read_text()
    bench.write("tfgate.toml", text.replace('allowed_signers = "gates"', ""))
    with pytest.raises(UsageError, match=r"receipts\.allowed_signers names no"):
        grant(bench, path)


def test_one_file_for_both_needs_namespaces(bench: Bench) -> None:
    """An approver's line without a namespace would let them sign receipts; with one it does not."""
    path = issue(bench)
    path.write_bytes(_by("alice", RECEIPTS)(bench, path))
    bench.write("gates", signer("alice", bench.alice))
    assert "does not let its key sign this" in refused(bench, path)
    bench.write("gates", signer("alice", bench.alice, ""))
    assert grant(bench, path).allowed


def test_a_gate_that_wants_receipts(bench: Bench) -> None:
    """Without one, an allowed plan is refused; a denied one is denied as ever."""
    text = (bench.folder / "tfgate.toml").read_text()
    bench.write("tfgate.toml", text.replace("[receipts]", "[receipts]\nrequired = true"))
    given = decision_alone(bench.judge(data=ALLOWED), "", NOW)
    assert (given.allowed, given.exit_code) == (False, ExitCode.DENIED)
    assert "only what has a receipt" in given.notes[0]
    assert decision_alone(bench.judge(), "", NOW).notes == ()


def test_what_a_receipt_cannot_be_made_for(bench: Bench) -> None:
    """Plan JSON, a decision off the record, and a gate without a key."""
    plan = bench.plan(ALLOWED)
    request = replace(bench.request, plan=plan)
    papers = Documents(receipt=bench.folder / "r.json")
    with pytest.raises(UsageError, match="is for a saved plan file"):
        check_with_documents(request, papers)
    with pytest.raises(UsageError, match="not with --no-audit"):
        check_with_documents(request, papers, audit=False)
    (bench.folder / "gate").unlink()
    with pytest.raises(UsageError, match="There is no key"):
        check_with_documents(request, papers)
    bench.write("tfgate.toml", '[gate]\nrulesets = ["./rules.toml"]\n')
    with pytest.raises(UsageError, match="No key is named"):
        check_with_documents(request, papers)
    assert not (bench.folder / "r.json").exists()


def test_resource_uri() -> None:
    """What an apply changes, with nothing in it that breaks a URI."""
    place = Workspace("prod/eu", "flag", "s3", {"bucket": "a b", "key": "x&y"})
    assert resource_uri(place) == "tfgate:workspace/prod%2Feu?backend=s3&bucket=a+b&key=x%26y"


def test_pae_is_as_the_specification_has_it() -> None:
    """The example of DSSE's protocol.md."""
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_ssh_keygen_alone_verifies_it(bench: Bench) -> None:
    """Nothing of tfgate is needed to check a signature."""
    envelope = json.loads(issue(bench).read_text())
    blob = envelope["signatures"][0]["sig"]
    folder = bench.folder
    (folder / "sig").write_text(
        f"-----BEGIN SSH SIGNATURE-----\n{blob}\n-----END SSH SIGNATURE-----\n"
    )
    signed = pae(envelope["payloadType"], base64.b64decode(envelope["payload"]))
    command = ["ssh-keygen", "-Y", "verify", "-f", str(folder / "gates"), "-I", "gate"]
    command += ["-n", "tfgate-receipt", "-s", str(folder / "sig")]
    done = subprocess.run(command, input=signed, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert envelope["signatures"][0]["keyid"] in done.stdout.decode()
