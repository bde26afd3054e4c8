"""Parts of the run-task server: keys, hosts, payloads, answers, archives, policies, rates."""

from __future__ import annotations

import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("dbos", reason="This test needs tfgate[server].")

from hypothesis import given
from hypothesis import strategies as st

from tfgate.errors import ConfigError, SourceError, TfgateError, UsageError
from tfgate.server.asgi import Rate
from tfgate.server.evaluation import unpack, working_directory
from tfgate.server.job import Finding, PayloadError, is_verification, read_kept, read_task
from tfgate.server.peers import Allowed, ForbiddenPeerError, origin_of, read_origins
from tfgate.server.secrets import Links, Vault, is_signed, read_secret
from tfgate.server.settings import PolicyTable, choose, load_settings
from tfgate.server.work import Sending, outcomes_body

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "0123456789abcdef" * 4
OTHER = "fedcba9876543210" * 4


def task(**more: Any) -> bytes:
    """Return the body of a request."""
    body = {
        "payload_version": 1,
        "stage": "post_plan",
        "access_token": "a-token",
        "organization_name": "acme",
        "run_id": "run-1",
        "task_result_id": "taskrs-1",
        "task_result_callback_url": "https://app.terraform.io/callback",
        "plan_json_api_url": "https://app.terraform.io/plan",
        "workspace_id": "ws-1",
        "workspace_name": "prod",
    }
    return json.dumps({**body, **more}).encode()


def test_signatures_by_any_of_the_keys() -> None:
    """A key can be changed while both are configured; case and blanks do not matter."""
    import hashlib
    import hmac

    signature = hmac.new(b"new", b"body", hashlib.sha512).hexdigest()
    assert is_signed(b"body", f" {signature.upper()} ", ["old", "new"])
    assert not is_signed(b"body", signature, ["old"])
    assert not is_signed(b"Body", signature, ["new"])
    assert not is_signed(b"body", "\u00e9", ["new"])


def test_tokens_are_sealed_and_secrets_can_be_changed() -> None:
    """What an old secret sealed is read by it as the previous one, and by nobody else."""
    sealed = Vault([OTHER]).seal("a-token")
    assert b"a-token" not in sealed
    assert Vault([SECRET, OTHER]).open(sealed) == "a-token"
    with pytest.raises(TfgateError, match="another secret"):
        Vault([SECRET]).open(sealed)
    with pytest.raises(UsageError, match="32 characters"):
        Vault.of({"TFGATE_SERVER_SECRET": "short"})


def test_secrets_from_files(tmp_path: Path) -> None:
    """A secret may stand in a file, as systemd and containers hand them over."""
    (tmp_path / "key").write_text("value\n")
    env = {"TFGATE_SERVER_HMAC_KEY_FILE": str(tmp_path / "key")}
    assert read_secret(env, "HMAC_KEY") == "value"
    assert read_secret({}, "HMAC_KEY") is None


def test_links_expire_and_belong_to_one_decision() -> None:
    """A link opens its own decision until its time."""
    links = Links(Vault([SECRET]), "https://gate.example/", 1)
    link = links.make("taskrs-1", 1000.0)
    assert link.startswith("https://gate.example/decisions/taskrs-1?expires=4600&signature=")
    signature = link.rpartition("=")[2]
    assert links.opens("taskrs-1", "4600", signature, 4599.0)
    assert not links.opens("taskrs-1", "4600", signature, 4600.0)
    assert not links.opens("taskrs-2", "4600", signature, 1000.0)
    assert not links.opens("taskrs-1", "9999", signature, 1000.0)
    assert not links.opens("taskrs-1", "-1", signature, 1000.0)


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "127.0.0.1", "169.254.169.254", "::1", "fe80::1", "fd00::1", "0.0.0.0",
     "::ffff:169.254.169.254", "192.168.1.1", "100.64.0.1", "224.0.0.1", "nonsense"],
)  # fmt: skip
def test_private_addresses_are_refused(address: str) -> None:
    """A listed name does not help where it resolves to an address inside."""
    allowed = Allowed(read_origins(["tfe.example"], "x"), resolver=lambda *_: [address])
    with pytest.raises(ForbiddenPeerError, match="private"):
        allowed.addresses("tfe.example", 443)


def test_networks_that_are_allowed() -> None:
    """Terraform Enterprise may be inside; public addresses need no entry."""
    import ipaddress

    networks = [ipaddress.ip_network("10.0.0.0/8")]
    allowed = Allowed(frozenset(), networks=networks, resolver=lambda *_: ["10.1.1.1", "127.0.0.1"])
    assert allowed.addresses("tfe.example", 443) == ["10.1.1.1"]
    public = Allowed(frozenset(), resolver=lambda *_: ["1.1.1.1"])
    assert public.addresses("app.terraform.io", 443) == ["1.1.1.1"]


def test_origins() -> None:
    """Scheme, host and port all count; http only where it is written so."""
    origins = read_origins(["app.terraform.io", "http://127.0.0.1:80"], "hcp.hosts")
    allowed = Allowed(origins)
    assert allowed.check_api("https://APP.terraform.io/x").host == "app.terraform.io"
    for url in (
        "http://app.terraform.io/",
        "https://app.terraform.io:8443/",
        "https://app.terraform.io.evil.example/",
        "https://user@app.terraform.io/",
        "ftp://app.terraform.io/",
        "/x",
    ):
        with pytest.raises(ForbiddenPeerError):
            allowed.check_api(url)
    assert str(origin_of("http://127.0.0.1/")) == "http://127.0.0.1:80"
    with pytest.raises(UsageError):
        read_origins(["https://a/b"], "hcp.hosts")


def test_requests_are_kept_without_their_token() -> None:
    """What goes to the database has every field but the token."""
    kept = read_task(task(project_name="p", capabilitites={"outcomes": True})).without_token()
    assert b"a-token" not in kept
    again = read_kept(kept)
    assert (again.project_name, again.takes_outcomes) == ("p", True)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_payload_or_an_error(data: bytes) -> None:
    """Nothing but ``PayloadError`` comes out of reading a body."""
    assert not is_verification(data)
    with pytest.raises(PayloadError):
        read_task(data)


@given(
    st.lists(st.text(max_size=300), max_size=60),
    st.integers(min_value=4000, max_value=20_000),
)
def test_answers_stay_below_the_limit(texts: list[str], limit: int) -> None:
    """However long the findings are, the body fits, and says how many are not in it."""
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    findings = [Finding(f"R#{n}", t, t * 3, "Denied", "High", "error") for n, t in enumerate(texts)]
    body = outcomes_body("m", "https://x/", findings, most=50, limit=limit)
    assert len(body) <= limit
    outcomes = json.loads(body)["data"]["relationships"]["outcomes"]["data"]
    if len(outcomes) != len(findings):
        left = len(findings) - (len(outcomes) - 1)
        assert outcomes[-1]["attributes"]["description"].startswith(f"{left} more")


def archive(members: list[tuple[str, bytes]]) -> io.BytesIO:
    """Return a tar.gz."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    buffer.seek(0)
    return buffer


def test_archives(tmp_path: Path) -> None:
    """Regular files below the folder are written, others are left out, too much is refused."""
    members = [("./a/main.tf", b"x"), ("/etc/x", b"x"), ("../y", b"y"), ("a/../../z", b"z")]
    assert unpack(archive(members), tmp_path, 100_000) == 1
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["main.tf"]
    assert working_directory(tmp_path, "/a/") == tmp_path / "a"
    assert working_directory(tmp_path, None) == tmp_path
    for odd in ("../x", "b", "a/main.tf"):
        with pytest.raises(SourceError):
            working_directory(tmp_path, odd)
    with pytest.raises(SourceError, match="larger"):
        unpack(archive([("big.tf", b"x" * 200_000)]), tmp_path, 100_000)
    with pytest.raises(SourceError, match="archive"):
        unpack(io.BytesIO(b"x"), tmp_path, 100)
    with pytest.raises(SourceError, match="archive"):
        unpack(io.BytesIO(archive([("b.tf", b"x" * 5000)]).getvalue()[:60]), tmp_path, 100_000)


def test_the_first_policy_that_fits() -> None:
    """Organization, project and workspace all have to fit; an unnamed project fits ``*`` alone."""
    tables = [
        PolicyTable(config="a", organization="acme", project="net-*", workspace="prod-*"),
        PolicyTable(config="b", organization="acme"),
    ]
    assert choose(tables, "acme", "net-1", "prod-x") == 0
    assert choose(tables, "acme", "net-1", "dev-x") == 1
    assert choose(tables, "acme", None, "prod-x") == 1
    assert choose(tables, "other", "net-1", "prod-x") is None


def test_rates() -> None:
    """An organisation has its minute's worth at once, and gets it back over the minute."""
    now = [0.0]
    rate = Rate(60, lambda: now[0])
    assert [rate.takes("a") for _ in range(61)] == [True] * 60 + [False]
    assert rate.takes("b")
    now[0] = 2.0
    assert [rate.takes("a") for _ in range(3)] == [True, True, False]


def test_no_heartbeat_beside_an_answer() -> None:
    """While an answer is on its way, a heartbeat is not begun."""
    sending = Sending()
    with sending.heartbeat("k") as free, sending.heartbeat("k") as again:
        assert (free, again) == (True, False)
    with sending.final("k"), sending.heartbeat("k") as free, sending.heartbeat("j") as other:
        assert (free, other) == (False, True)


def test_settings(tmp_path: Path) -> None:
    """The environment goes over the file; unknown keys and missing policies are refused."""
    file = tmp_path / "server.toml"
    file.write_text('[[policy]]\nconfig = "tfgate.toml"\n')
    env = {
        "TFGATE_SERVER_LISTEN": "0.0.0.0:1",
        "TFGATE_SERVER_HCP_HOSTS": "a.example, b.example",
        "TFGATE_SERVER_LIMITS_JUDGES": "7",
    }
    settings = load_settings(file, env)
    assert settings.address == ("0.0.0.0", 1)
    assert settings.hcp.hosts == ("a.example", "b.example")
    assert settings.limits.judges == 7
    for text in ("[server]\nlisten = 'x'\n", "[[policy]]\nconfig='a'\nlevles={}\n", "folder='/'\n"):
        file.write_text(text)
        with pytest.raises(ConfigError):
            load_settings(file, {})
