"""Approvals from the request to the decision that rests on them, with the real ssh-keygen."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from msgspec.structs import replace

from tests.support.judging import NOW, RULES, Bench, plan_json
from tests.support.signing import new_key, signer
from tfgate.approvals.approve import (
    Approver,
    default_output,
    read_request,
    sign_approval,
    statement_of,
    write_approval,
)
from tfgate.audit.signing import APPROVALS, RECEIPTS, UnknownSignerError, identify, sign
from tfgate.cli.main import main
from tfgate.errors import AuditError, UsageError
from tfgate.gate.approvals import MOST_APPROVALS, PAYLOAD_TYPE
from tfgate.gate.check import check
from tfgate.gate.documents import MAX_DOCUMENT, read_document, seal
from tfgate.gate.receipts import Documents, check_with_documents
from tfgate.gate.signers import possible_signers
from tfgate.model.decision import Decision, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A gate of the test's own."""
    return Bench(tmp_path)


def use(bench: Bench, *approvals: Path, **changes: Any) -> Decision:
    """Check the plan JSON again, with approvals."""
    request = replace(bench.request, approvals=tuple(map(str, approvals)), **changes)
    return check(request).decision


def test_from_request_to_record(bench: Bench) -> None:
    """The decision is allowed, and the record says who, with which key, why, and what."""
    decision = use(bench, bench.approve(bench.alice))
    assert decision.verdict is Verdict.ALLOW
    record = bench.records()[-1]
    (override,) = record["overrides"]
    assert override["approver"] == "alice@acme.example"
    assert override["principals"] == ["alice@acme.example", "alice"]
    assert override["reason"] == "because"
    assert override["key"].startswith("SHA256:")
    assert len(override["digest"]) == 64
    signers = (bench.folder / "approvers").read_bytes()
    assert override["signers_sha256"] == hashlib.sha256(signers).hexdigest()
    (finding,) = record["findings"]
    assert (finding["outcome"], finding.get("blocks", False)) == ("fail", False)
    assert finding["override"]["approvals"] == [override]


def test_a_folder_of_approvals(bench: Bench) -> None:
    """What else lies there is passed over; JSON that is no approval is told of."""
    folder = bench.folder / "approvals"
    folder.mkdir()
    bench.approve(bench.alice).rename(folder / "a.json")
    (folder / "README.md").write_text("hello")
    (folder / "other.json").write_text("{}")
    (folder / ".hidden.json").write_text("{")
    (folder / "link.json").symlink_to(folder / "a.json")
    (folder / "deeper.json").mkdir()
    os.mkfifo(folder / "pipe.json")
    decision = use(bench, folder)
    assert decision.verdict is Verdict.ALLOW
    (warning,) = decision.warnings
    assert warning.startswith("The approval other.json does not count: it has not the shape")


def test_a_folder_of_far_too_many(bench: Bench) -> None:
    """Each approval costs processes; nobody may make the gate start thousands."""
    bench.plan(plan_json())
    for number in range(MOST_APPROVALS + 1):
        (bench.folder / f"{number}.json").write_text("{}")
    with pytest.raises(UsageError, match=r"more than 200 approvals"):
        use(bench, bench.folder)


def test_two_people_where_the_rule_says_so(bench: Bench) -> None:
    """The rule's own number holds beside the configuration's, and nobody counts twice."""
    bench.write("rules.toml", RULES.format(level="soft-mandatory", approvals=2))
    one = bench.approve(bench.alice, "a.json")
    again = bench.approve(bench.alice, "b.json", reason="once more")
    decision = use(bench, one, again, one)
    assert decision.verdict is Verdict.DENY
    assert decision.warnings == ("T-IN has 1 of 2 approvals (terraform_data.a).",)
    assert use(bench, one, bench.approve(bench.bob, "c.json")).verdict is Verdict.ALLOW


def test_needs_of_the_configuration(bench: Bench) -> None:
    """Roles and numbers by rule and workspace."""
    bench.config(
        '[approvals.roles]\ndba = ["b*"]\n'
        '[[approvals.needs]]\nrules = ["T-*"]\nworkspaces = ["def*"]\nroles = ["dba"]\n'
        '[[approvals.needs]]\nrules = ["T-*"]\nworkspaces = ["prod"]\nrequired = 9\n'
    )
    alice = bench.approve(bench.alice, "a.json")
    decision = use(bench, alice)
    assert "needs an approval by somebody with the role dba" in decision.warnings[0]
    assert use(bench, bench.approve(bench.bob, "b.json")).verdict is Verdict.ALLOW


def test_a_key_that_is_valid_for_a_time(bench: Bench) -> None:
    """``valid-before`` of the allowed signers file is ssh-keygen's to judge, at the gate's time."""
    path = bench.approve(bench.alice)
    for year, verdict in (("2026", Verdict.DENY), ("2027", Verdict.ALLOW)):
        options = f'namespaces="tfgate",valid-before="{year}0101Z"'
        bench.write("approvers", signer("alice", bench.alice, options))
        assert use(bench, path).verdict is verdict


def _payload(bench: Bench, change: Callable[[dict[str, Any]], None]) -> bytes:
    statement = msgspec.to_builtins(bench.statement())
    change(statement)
    return json.dumps(statement, default=str).encode()


def _sealed(bench: Bench, payload: bytes, *, kind: str = PAYLOAD_TYPE, key: Any = None) -> bytes:
    return seal(payload, kind, key or bench.alice, APPROVALS)


def _tampered(bench: Bench) -> bytes:
    envelope = json.loads(sign_approval(bench.statement(), str(bench.alice)))
    payload = base64.b64decode(envelope["payload"]).replace(b"because", b"believe")
    return json.dumps({**envelope, "payload": base64.b64encode(payload).decode()}).encode()


def _repeated_key(bench: Bench) -> bytes:
    signed = sign_approval(bench.statement(), str(bench.alice))
    return signed.replace(b'"payload":', b'"payload": "e30=", "payload":', 1)


def _good(bench: Bench) -> bytes:
    return sign_approval(bench.statement(), str(bench.alice))


BAD: dict[str, tuple[Callable[[Bench], bytes], str]] = {
    "empty": (lambda _: b"", "it is not JSON"),
    "not JSON": (lambda _: b"hello", "it is not JSON"),
    "not an object": (lambda _: b"[]", "it has not the shape it must have"),
    "NaN": (lambda _: b'{"payload": NaN}', "a number that JSON does not have"),
    "deep": (lambda _: b"[" * 200_000, "it is not JSON"),
    "a key twice": (_repeated_key, "a key is there twice"),
    "another kind": (
        lambda bench: _sealed(bench, b"{}", kind="application/vnd.in-toto+json"),
        "its payloadType is not",
    ),
    "no signature": (
        lambda bench: _good(bench).split(b'"signatures"')[0] + b'"signatures": []}',
        "it has not between 1 and 8 signatures",
    ),
    "not base64": (
        lambda bench: _good(bench).replace(b'"sig": "', b'"sig": "\xc3\xa4'),
        "its signature is not base64",
    ),
    "no SSH signature": (
        lambda bench: json.dumps(
            {**json.loads(_good(bench)), "signatures": [{"sig": "aGVsbG8="}]}
        ).encode(),
        "its signature is not good",
    ),
    "tampered": (_tampered, "it does not fit what is signed"),
    "another namespace": (
        lambda bench: seal(b"{}", PAYLOAD_TYPE, bench.alice, RECEIPTS),
        "another purpose (namespace)",
    ),
    "unknown key": (
        lambda bench: sign_approval(bench.statement(), str(bench.mallory)),
        "does not let its key sign this",
    ),
    "key of a receipt": (
        lambda bench: sign_approval(bench.statement(), str(bench.gate)),
        "does not let its key sign this",
    ),
    "signed, but no statement": (lambda bench: _sealed(bench, b"{}"), "it has not the shape"),
    "signed, but a key twice": (
        lambda bench: _sealed(bench, b'{"kind": "tfgate-approval", "kind": "tfgate-approval"}'),
        "a key is there twice",
    ),
    "a member of the future": (
        lambda bench: _sealed(bench, _payload(bench, lambda it: it.update(only_if="x"))),
        "it has not the shape",
    ),
    "another version": (
        lambda bench: _sealed(bench, _payload(bench, lambda it: it.update(v=2))),
        "it has not the shape",
    ),
    "a time without a zone": (
        lambda bench: _sealed(
            bench, _payload(bench, lambda it: it.update(expires="2026-11-25T00:00:00"))
        ),
        "it has not the shape",
    ),
    "the end of the calendar": (
        lambda bench: _sealed(
            bench,
            _payload(bench, lambda it: it.update(approved="9999-12-31T23:59:59-14:00")),
        ),
        "made in the future",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_approval_lets_nothing_through(bench: Bench, name: str) -> None:
    """The plan is denied as before, and the report says why the file was no use."""
    make, sentence = BAD[name]
    path = bench.folder / "a.json"
    path.write_bytes(make(bench))
    bench.plan(plan_json())
    decision = use(bench, path)
    assert decision.verdict is Verdict.DENY
    (warning,) = decision.warnings
    assert warning.startswith("The approval a.json does not count: ")
    assert sentence in warning


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(MAX_DOCUMENT + 1)


UNREADABLE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "missing": (lambda _: None, "There is no approval"),
    "link": (lambda path: path.symlink_to("/etc/hostname"), "it is a symbolic link"),
    "pipe": (os.mkfifo, "is not a regular file"),
    "huge": (_huge, "is larger than 16 MiB"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_file_that_must_not_be_read(bench: Bench, name: str) -> None:
    """Named, and not what it should be: wrong usage, which nothing is applied after."""
    make, sentence = UNREADABLE[name]
    path = bench.folder / "x.json"
    make(path)
    bench.plan(plan_json())
    with pytest.raises(UsageError, match=sentence):
        use(bench, path)
    assert bench.records()[-1]["event"] == "undecided"


def test_another_plan_and_another_workspace(bench: Bench) -> None:
    """What was approved is one plan in one place."""
    path = bench.approve(bench.alice)
    bench.plan(plan_json("another-long-one"))
    assert "it is for another plan" in use(bench, path).warnings[0]
    bench.plan(plan_json())
    assert use(bench, path).verdict is Verdict.ALLOW
    assert "it is for another workspace" in use(bench, path, workspace="prod").warnings[0]


def test_the_operator_and_the_author_cannot_approve(bench: Bench) -> None:
    """By any name that the allowed signers file gives them."""
    path = bench.approve(bench.alice)
    for variables, word in (
        ({"TFGATE_OPERATOR": "Alice"}, "is the operator"),
        ({"TFGATE_OPERATOR": "al\u200bice@acme.example."}, "is the operator"),
        ({"TFGATE_AUTHOR": "ａlice\u00ad."}, "wrote the change"),
        ({"TFGATE_AUTHOR": "bert, ALICE@acme.example"}, "wrote the change"),
        ({"PULL_AUTHOR": "alice"}, "wrote the change"),
    ):
        decision = use(bench, path, env={**bench.request.env, **variables})
        assert decision.verdict is Verdict.DENY
        assert word in decision.warnings[0]


def test_it_ends(bench: Bench) -> None:
    """At the end that the approver gave it, or after the hours that the gate allows."""
    short = bench.approve(bench.alice, expires="2h")
    assert use(bench, short, now=NOW + dt.timedelta(hours=1)).verdict is Verdict.ALLOW
    later = use(bench, short, now=NOW + dt.timedelta(hours=3))
    assert "it held until 2026-11-24 14:00 UTC" in later.warnings[0]
    long = bench.approve(bench.alice, expires="2027-12-31")
    later = use(bench, long, now=NOW + dt.timedelta(hours=73))
    assert "it held until 2026-11-27 12:00 UTC" in later.warnings[0]


def test_bound_to_findings(bench: Bench) -> None:
    """A new plan with the same finding keeps its approval, where the configuration says so."""
    text = (bench.folder / "tfgate.toml").read_text()
    bench.write("tfgate.toml", text.replace("[approvals]", '[approvals]\nbind = "findings"'))
    path = bench.approve(bench.alice)
    bench.plan(plan_json().replace(b"1.13.0", b"1.13.1"))
    assert use(bench, path).verdict is Verdict.ALLOW
    bench.plan(plan_json("another-long-one"))
    assert use(bench, path).verdict is Verdict.DENY


def test_hard_mandatory_cannot_be_asked_for(bench: Bench) -> None:
    """No request is written, and an approval from before the level was raised is of no use."""
    path = bench.approve(bench.alice)
    bench.write("rules.toml", RULES.format(level="hard-mandatory", approvals=1))
    assert not bench.ask().exists()
    assert use(bench, path).verdict is Verdict.DENY


def test_a_forged_request_is_not_signed(bench: Bench) -> None:
    """What is shown to the approver is what is signed: levels and fingerprints are checked."""
    path = bench.ask()
    request = json.loads(path.read_text())
    for change, sentence in (
        ({"enforcement": "hard-mandatory"}, "a finding of the level hard-mandatory"),
        ({"enforcement": "\x1b[2J"}, r"a finding of the level \(unknown\)"),
        ({"message": "all is well"}, "the fingerprint of a finding does not fit"),
        ({"more": 1}, "it has not the shape"),
    ):
        forged = {**request, "findings": [{**request["findings"][0], **change}]}
        path.write_text(json.dumps(forged))
        with pytest.raises(UsageError, match=sentence):
            read_request(path)
    path.write_text(json.dumps({**request, "findings": []}))
    with pytest.raises(UsageError, match="it lists no finding"):
        read_request(path)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"reason": "  "}, "needs a reason"),
        ({"reason": "x" * 2001}, "longer than 2,000"),
        ({"expires": "2026-11-23"}, "over before it begins"),
        ({"expires": "soon"}, "cannot be understood"),
    ],
)
def test_what_cannot_be_signed(bench: Bench, fields: dict[str, str], sentence: str) -> None:
    """A reason and an end that make sense are needed."""
    with pytest.raises(UsageError, match=sentence):
        bench.statement(**fields)


def test_a_key_that_cannot_sign(bench: Bench) -> None:
    """Missing, or not a key: one sentence, and no file."""
    statement = bench.statement()
    with pytest.raises(AuditError, match="cannot sign"):
        sign_approval(statement, str(bench.folder / "none"))
    path = default_output(bench.folder / "p.request.json", b"signed")
    assert path.name.startswith("p.")
    assert path.name.endswith(".approval.json")


SIGNERS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "missing": (lambda path: path.unlink(), "cannot be read: No such file"),
    "everybody's": (lambda path: path.chmod(0o666), "Everybody may write"),
    "directory": (lambda path: (path.unlink(), path.mkdir()), "cannot be read|not a regular"),
    "pipe": (lambda path: (path.unlink(), os.mkfifo(path)), "not a regular file"),
}


@pytest.mark.parametrize("name", SIGNERS)
def test_an_allowed_signers_file_that_proves_nothing(bench: Bench, name: str) -> None:
    """Without a list of who may approve, nobody may."""
    change, sentence = SIGNERS[name]
    path = bench.approve(bench.alice)
    change(bench.folder / "approvers")
    with pytest.raises(UsageError, match=sentence):
        use(bench, path)


def test_nobody_is_named(bench: Bench) -> None:
    """Approvals were handed in, and the configuration knows of no approver."""
    path = bench.approve(bench.alice)
    bench.write("tfgate.toml", '[gate]\nrulesets = ["./rules.toml"]\n')
    with pytest.raises(UsageError, match=r"approvals\.allowed_signers names no"):
        use(bench, path)


def test_a_group_that_may_write_is_told_of(bench: Bench) -> None:
    """Common in checkouts, so it is no reason to refuse."""
    path = bench.approve(bench.alice)
    (bench.folder / "approvers").chmod(0o664)
    decision = use(bench, path)
    assert decision.verdict is Verdict.ALLOW
    assert "A group may write to the allowed signers file" in decision.warnings[0]


def test_a_certificate_authority(bench: Bench) -> None:
    """ssh-keygen judges certificates itself; the certificate's names are the approver's."""
    import subprocess

    authority = new_key(bench.folder, "ca")
    certify = ["ssh-keygen", "-q", "-s", str(authority), "-I", "id", "-n", "carol", "-V"]
    public = str(bench.mallory.with_suffix(".pub"))
    subprocess.run([*certify, "20260101:20300101", public], check=True)
    options = 'cert-authority,namespaces="tfgate"'
    bench.write("approvers", signer("carol", authority, options))
    decision = use(bench, bench.approve(bench.folder / "mallory-cert.pub"))
    assert decision.verdict is Verdict.ALLOW
    assert decision.approvals[0].principals == ("carol",)


def test_the_end_is_counted_from_the_signing(bench: Bench) -> None:
    """However long the request lay about; and never beyond what the gate allows."""
    request = read_request(bench.ask())
    signing = NOW + dt.timedelta(hours=100)
    for expires, hours in ((None, 72), ("2h", 2), ("80h", 72), ("2027-12-31", 72)):
        statement = statement_of(request, Approver("", "because", signing, expires))
        assert statement.expires == signing + dt.timedelta(hours=hours)
    path = bench.folder / "late.json"
    statement = statement_of(request, Approver("", "because", signing))
    path.write_bytes(sign_approval(statement, str(bench.alice)))
    late = signing + dt.timedelta(hours=71)
    assert use(bench, path, now=late).verdict is Verdict.ALLOW
    assert use(bench, path, now=late + dt.timedelta(hours=2)).verdict is Verdict.DENY


@pytest.mark.parametrize(
    ("who", "env", "options", "says"),
    [
        ("alice", {"TFGATE_OPERATOR": "Alice"}, None, "alice@acme.example is the operator"),
        ("alice", {"TFGATE_AUTHOR": "alice@acme.example"}, None, "wrote the change"),
        ("mallory", {}, None, "does not let its key sign this"),
        ("alice", {}, 'namespaces="tfgate-receipt"', "does not let its key sign this"),
        ("alice", {}, 'valid-before="20200101Z"', "does not let its key sign this"),
        ("alice", {}, 'valid-after="20990101Z"', "does not let its key sign this"),
    ],
)
def test_what_would_be_refused_is_not_signed(
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    who: str,
    env: dict[str, str],
    options: str | None,
    says: str,
) -> None:
    """Where the gate's signers are at hand, its approver hears at once what the gate would say."""
    bench.request = replace(bench.request, env={**bench.request.env, **env})
    path = bench.ask()
    if options is not None:
        bench.write("approvers", signer("alice@acme.example,alice", bench.alice, options))
    monkeypatch.chdir(bench.folder)
    words = ["--key", str(getattr(bench, who)), "--reason", "because", "--yes", "-o", "a.json"]
    assert main(["approve", str(path), *words]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert says in said
    assert "No approval was written" in said
    assert not (bench.folder / "a.json").exists()
    if who == "alice":
        bench.write("approvers", signer("bob", bench.bob))
        (bench.folder / "elsewhere").mkdir()
        monkeypatch.chdir(bench.folder / "elsewhere")
        bench.write("elsewhere/tfgate.toml", "[gate]\n")
        assert main(["approve", str(path), *words]) == 0, "no signers are known there"


def test_an_approval_that_counts_is_written(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the command, with the gate's own signers at hand."""
    path = bench.ask()
    monkeypatch.chdir(bench.folder)
    words = ["--key", str(bench.bob), "--reason", "because", "--yes", "-o", "b.json"]
    assert main(["approve", str(path), *words]) == 0
    now = dt.datetime.now(dt.timezone.utc)
    assert use(bench, bench.folder / "b.json", now=now).verdict is Verdict.ALLOW


def asked(bench: Bench, **env: str) -> str:
    """Ask for approvals, and give what was said of it."""
    path = bench.folder / "p.request.json"
    path.unlink(missing_ok=True)
    request = replace(bench.request, plan=bench.plan(plan_json()), env={**bench.request.env, **env})
    (note,) = check_with_documents(request, Documents(approval_request=str(path))).notes
    assert path.exists() == note.startswith("Wrote "), note
    return note


CERTIFICATE = 'cert-authority,namespaces="tfgate"'


@pytest.mark.parametrize(
    ("people", "env", "says"),
    [
        ("alice", {"TFGATE_OPERATOR": "alice@acme.example."}, "neither operator nor author"),
        ("alice", {"TFGATE_AUTHOR": "bert,ALICE"}, "neither operator nor author"),
        ("alice bob", {"TFGATE_OPERATOR": "alice", "TFGATE_AUTHOR": "bob"}, "names nobody"),
        ("alice bob", {"TFGATE_OPERATOR": "alice"}, "Wrote"),
        ("", {}, "names nobody"),
    ],
)
def test_a_request_that_nobody_can_sign(
    bench: Bench, people: str, env: dict[str, str], says: str
) -> None:
    """It is not written, and it is said at once who is missing."""
    keys = {"alice": bench.alice, "bob": bench.bob}
    bench.write("approvers", "# ours\n" + "".join(signer(n, keys[n]) for n in people.split()))
    assert says in asked(bench, **env)


def test_a_request_for_more_people_than_there_are(bench: Bench) -> None:
    """Numbers and roles are looked at as well; a certificate may bring anybody."""
    bench.write("rules.toml", RULES.format(level="soft-mandatory", approvals=2))
    assert "T-IN has 1 of 2 approvals" in asked(bench, TFGATE_OPERATOR="alice")
    assert asked(bench).startswith("Wrote")
    bench.config(
        '[approvals.roles]\ndba = ["a*"]\n[[approvals.needs]]\nrules = ["*"]\nroles = ["dba"]\n'
    )
    bench.write("rules.toml", RULES.format(level="soft-mandatory", approvals=1))
    assert "somebody with the role dba" in asked(bench, TFGATE_OPERATOR="alice")
    with (bench.folder / "approvers").open("a") as file:
        file.write(signer("*@acme.example", bench.mallory, CERTIFICATE))
    assert asked(bench, TFGATE_OPERATOR="alice").startswith("Wrote")


def test_a_gate_that_trusts_nobody_says_so(bench: Bench) -> None:
    """The request is written, as another configuration may apply; but not without a word."""
    text = (bench.folder / "tfgate.toml").read_text()
    bench.write("tfgate.toml", text.replace('allowed_signers = "approvers"', ""))
    assert "approvals.allowed_signers names no file" in asked(bench)
    bench.write("tfgate.toml", text)
    (bench.folder / "approvers").chmod(0o646)
    assert "No approval can let this plan through: everybody may write" in asked(bench)


OPTIONS = [
    "",
    'namespaces="tfgate"',
    'namespaces="git,tfgate"',
    'namespaces="tf*"',
    'namespaces="tfgate?"',
    'namespaces="tfgate-receipt"',
    'namespaces="*,!tfgate"',
    'NAMESPACES="tfgate",valid-before="20270101Z"',
    'namespaces="tfgate",valid-before="20260101"',
    'valid-before="202611241159Z"',
    'valid-before="20261124120100Z"',
    'valid-after="202611241159Z"',
    'valid-after="20261124120100Z"',
    'valid-after="20200101",valid-before="20300101"',
]


@pytest.mark.parametrize("options", OPTIONS)
def test_who_may_sign_is_who_ssh_keygen_takes(bench: Bench, options: str) -> None:
    """The allowed signers file is read as ssh-keygen reads it."""
    line = signer("alice", bench.alice, options)
    file = bench.write("approvers", f"# a comment\n\n{line}")
    signature = sign(b"data", bench.alice, APPROVALS)
    try:
        identify(b"data", signature, file, at="2026-11-24T12:00:00Z", namespace=APPROVALS)
        taken = ["alice"]
    except UnknownSignerError:
        taken = []
    found = possible_signers(file.read_bytes(), APPROVALS, NOW)
    assert [name for one in found for name in one.names] == taken


def test_nothing_is_written_that_is_not_read(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """An approval of more than 16 MiB is refused where it is made, and so is its request."""
    path = bench.folder / "a.json"
    with pytest.raises(UsageError, match=r"would be larger than 16 MiB"):
        write_approval(path, b" " * (MAX_DOCUMENT + 1))
    assert not path.exists()
    write_approval(path, b" " * MAX_DOCUMENT)
    assert len(read_document(path, "approval")) == MAX_DOCUMENT
    monkeypatch.setattr("tfgate.gate.approvals.MAX_DOCUMENT", 32 * 1024)
    assert "would be larger than 16 MiB" in asked(bench)
