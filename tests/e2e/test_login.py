"""``tfgate login`` at a real provider: the device flow, what is kept of it, and what it proves."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import ssl
from typing import TYPE_CHECKING, Any

import httpx
import keyring
import keyring.backend
import keyring.backends.fail
import pytest
from msgspec.structs import replace

from tests.support.judging import Bench, plan_json
from tests.support.oidc_provider import TERMINAL, OidcProvider
from tfgate.cli.main import main
from tfgate.errors import IdentityError, UsageError
from tfgate.exitcodes import ExitCode
from tfgate.identity import login
from tfgate.ruleset.issuers import Issuer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

OLGA = {"email": "olga@acme.example", "email_verified": True}
PEOPLE = {"olga": OLGA, "rita": {"email": "rita@acme.example", "email_verified": True}}


class Ring(keyring.backend.KeyringBackend):
    """A keyring that works."""

    priority = 1  # type: ignore[assignment] # a class has it as a number

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep it."""
        self.kept[service, username] = password

    def get_password(self, service: str, username: str) -> str | None:
        """Give it."""
        return self.kept.get((service, username))

    def delete_password(self, service: str, username: str) -> None:
        """Forget it."""
        del self.kept[service, username]


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OidcProvider]:
    """One provider for all tests of this file."""
    running = OidcProvider(tmp_path_factory.mktemp("provider"), "https://localhost:1/callback")
    running.people(PEOPLE)
    yield running
    running.close()


@pytest.fixture(autouse=True)
def no_keyring() -> Iterator[None]:
    """As on a server: no backend keeps anything."""
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    yield
    keyring.set_keyring(before)


class Desk:
    """A gate, and a person at a terminal with a browser beside it."""

    def __init__(self, bench: Bench, provider: OidcProvider) -> None:
        self.bench, self.provider = bench, provider
        bench.config(
            f'[[identity.issuers]]\nname = "acme"\nissuer = "{provider.url}"\n'
            f'operator = "{{sub}}@acme.example"\nclient_id = "{TERMINAL}"\n'
            f'ca_file = "{provider.ca}"\n'
        )
        self.env = {"HOME": str(bench.folder)}
        self.issuer = Issuer(
            name="acme",
            issuer=provider.url,
            audience=(TERMINAL,),
            operator="{sub}@acme.example",
            client_id=TERMINAL,
            ca_file=provider.ca,
        )

    def browse(self, device: login.Device, who: str = "olga", *, abort: bool = False) -> None:
        """Open the page, confirm the code, and log in; or cancel."""
        context = ssl.create_default_context(cafile=str(self.provider.ca))
        with httpx.Client(verify=context, follow_redirects=True) as browser:
            page = browser.get(device.verification_uri_complete or "")
            for _ in range(6):  # confirm the code, log in, consent
                action = re.search(r'<form[^>]* action="([^"]+)"', page.text)
                if action is None:
                    break
                fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', page.text))
                if 'name="login"' in page.text:
                    fields |= {"login": who, "password": "x"}
                if abort and "confirm" in fields:
                    fields = {**fields, "abort": "yes"}
                    del fields["confirm"]
                page = browser.post(action[1], data=fields)
            assert page.status_code == 200

    def log_in(self, who: str = "olga") -> login.Kept:
        """Go through the flow, and keep the login."""
        device = login.ask_for_code(self.issuer, self.env)
        _, kept = login.wait_for_login(
            self.issuer, device, self.env, now=now, sleep=lambda _: self.browse(device, who)
        )
        login.store(self.issuer, kept, self.env)
        return kept

    def run(self, *words: str) -> int:
        """Run a command of this desk."""
        return main(list(words))


def now(**later: float) -> dt.datetime:
    """The time."""
    return dt.datetime.now(dt.timezone.utc) + dt.timedelta(**later)


@pytest.fixture
def desk(tmp_path: Path, provider: OidcProvider, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Nobody has logged in yet."""
    found = Desk(Bench(tmp_path), provider)
    for name in list(os.environ):
        if name.startswith(("TFGATE_", "GITHUB_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return found


def test_from_login_to_record(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The code is shown, the person logs in, and the record has them as proven."""
    asked: list[login.Device] = []
    real = login.ask_for_code

    def ask(*given: Any) -> login.Device:
        asked.append(real(*given))
        return asked[-1]

    monkeypatch.setattr(login, "ask_for_code", ask)
    monkeypatch.setattr(login.wait_for_login, "__kwdefaults__", {"sleep": lambda _: browse()})

    def browse() -> None:
        desk.browse(asked[0])

    assert desk.run("login") == 0
    shown = capsys.readouterr().err
    assert asked[0].user_code in shown
    assert asked[0].verification_uri in shown
    assert "Logged in at acme as olga@acme.example" in shown
    assert desk.run("whoami") == 0
    assert "olga@acme.example (acme: proven by" in capsys.readouterr().out
    desk.bench.plan(plan_json("short"))
    assert desk.run("check", "p.json", "--operator", "somebody-else") == 0
    facts = desk.bench.records()[-1]["operator_facts"]
    assert (facts["name"], facts["verified"]) == ("olga@acme.example", True)
    assert (facts["issuer"], facts["subject"]) == (desk.provider.url, "olga")


def test_no_token_is_anywhere_but_in_the_file(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which only its owner may read; neither record, evidence, reports nor terminal have one."""
    kept = desk.log_in()
    file = login.file_of(desk.issuer, desk.env)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    desk.bench.plan(plan_json("short"))
    for words in (("whoami",), ("check", "p.json"), ("check", "p.json", "--report", "json")):
        assert desk.run(*words) == 0
    shown = "".join(capsys.readouterr())
    tokens = [kept.id_token, str(kept.refresh_token)]
    assert not [token for token in tokens if token in shown]
    for path in desk.bench.folder.rglob("*"):
        if path.is_file() and path != file:
            data = path.read_bytes()
            assert not [token for token in tokens if token.encode() in data], path
    assert kept.id_token not in repr(kept)


def test_the_keyring_is_taken_where_there_is_one(desk: Desk) -> None:
    """And no file is written."""
    ring = Ring()
    keyring.set_keyring(ring)
    desk.log_in()
    assert not login.file_of(desk.issuer, desk.env).exists()
    assert list(ring.kept) == [("tfgate", desk.provider.url)]
    found = login.stored_identity([desk.issuer], desk.env, now())
    assert found is not None
    assert found.subject == "olga"
    assert login.forget(desk.issuer, desk.env)
    assert ring.kept == {}


def test_an_old_token_is_made_new(desk: Desk) -> None:
    """By the refresh token, which changes; the same person, or nobody."""
    desk.log_in()
    later = now(hours=2)
    found = login.stored_identity([desk.issuer], desk.env, now())
    assert found is not None
    kept = login.load(desk.issuer, desk.env)
    assert kept is not None
    login.store(desk.issuer, replace(kept, id_token="x.y.z"), desk.env)
    found = login.stored_identity([desk.issuer], desk.env, now())
    assert found is not None
    newer = login.load(desk.issuer, desk.env)
    assert newer is not None
    assert newer.id_token != "x.y.z"
    login.store(desk.issuer, replace(newer, id_token="x.y.z", subject="rita"), desk.env)
    with pytest.raises(IdentityError, match="that of somebody else"):
        login.stored_identity([desk.issuer], desk.env, now())
    login.store(desk.issuer, replace(newer, refresh_token=None), desk.env)
    with pytest.raises(IdentityError, match="is over"):
        login.stored_identity([desk.issuer], desk.env, later)


def test_logout_ends_it_here_and_there(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """The refresh token is of no use any more to whoever has a copy."""
    kept = desk.log_in()
    assert desk.run("logout") == 0
    assert "Logged out of acme" in capsys.readouterr().err
    assert login.stored_identity([desk.issuer], desk.env, now()) is None
    assert desk.run("logout") == 0
    assert "There was no login" in capsys.readouterr().err
    login.store(desk.issuer, replace(kept, id_token="x.y.z"), desk.env)
    with pytest.raises(IdentityError, match="is over"):
        login.stored_identity([desk.issuer], desk.env, now())


def _readable(path: Path) -> None:
    path.chmod(0o640)


def _link(path: Path) -> None:
    path.rename(path.with_suffix(".real"))
    path.symlink_to(path.with_suffix(".real"))


@pytest.mark.parametrize("change", [_readable, _link])
def test_a_file_that_is_not_the_owners_alone_proves_nobody(
    desk: Desk, change: Callable[[Path], None]
) -> None:
    """Somebody else may have it, or may have put it there."""
    desk.log_in()
    change(login.file_of(desk.issuer, desk.env))
    with pytest.raises(IdentityError, match=r"not its owner's alone|cannot be read"):
        login.stored_identity([desk.issuer], desk.env, now())


def test_a_login_for_another_client_or_issuer_is_none(desk: Desk) -> None:
    """What was kept before the configuration changed proves nobody."""
    kept = desk.log_in()
    other = replace_issuer(desk.issuer, client_id="other")
    assert login.stored_identity([other], desk.env, now()) is None
    login.store(desk.issuer, replace(kept, issuer="https://other.example"), desk.env)
    assert login.stored_identity([desk.issuer], desk.env, now()) is None


def replace_issuer(issuer: Issuer, **changes: Any) -> Issuer:
    """Return the issuer with changes."""
    return replace(issuer, **changes)


def test_who_cancels_has_not_logged_in(desk: Desk) -> None:
    """And who does nothing neither, when the code's time is over."""
    device = login.ask_for_code(desk.issuer, desk.env)
    with pytest.raises(IdentityError, match="was refused"):
        login.wait_for_login(
            desk.issuer,
            device,
            desk.env,
            now=now,
            sleep=lambda _: desk.browse(device, abort=True),
        )
    slept: list[float] = []
    device = replace(login.ask_for_code(desk.issuer, desk.env), expires_in=20)
    with pytest.raises(IdentityError, match="Nobody has logged in at acme in time"):
        login.wait_for_login(desk.issuer, device, desk.env, now=now, sleep=slept.append)
    assert slept == [5, 5, 5, 5]


def test_without_a_login_nobody_is_asked(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """No network before somebody has logged in; then a gate that needs proof says what to do."""

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr("tfgate.outbound.Peer.request", fail)
    desk.bench.plan(plan_json("short"))
    assert desk.run("check", "p.json") == 0
    assert desk.bench.records()[-1]["operator_facts"].get("verified", False) is False
    text = (desk.bench.folder / "tfgate.toml").read_text()
    needed = text.replace("[gate]\n", "[gate]\nrequire_verified_operator = true\n")
    desk.bench.write("tfgate.toml", needed)
    assert desk.run("check", "p.json") == ExitCode.UNDECIDED
    assert "tfgate login" in json.dumps(desk.bench.records()[-1])


@pytest.mark.parametrize("name", ["other", None])
def test_an_issuer_without_a_client_is_told(
    desk: Desk, name: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2."""
    if name is None:
        text = (desk.bench.folder / "tfgate.toml").read_text()
        desk.bench.write("tfgate.toml", text.replace("client_id", "audience = ['x']\n#"))
    assert desk.run("login", *([name] if name else [])) == UsageError.exit_code
    assert "has a client_id to log in with" in capsys.readouterr().err
