"""What becomes of an approval request, on SQLite and on PostgreSQL, with real signatures."""

from __future__ import annotations

import datetime as dt
import threading
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

pytest.importorskip("sqlalchemy", reason="This test needs tfgate[server].")
pytest.importorskip("authlib", reason="This test needs tfgate[server].")

from tests.support.desk import DORA, ERIN, JOB, TABLE, DeskBench
from tests.support.postgres import Postgres
from tests.support.signing import new_key, signer
from tfgate.errors import UsageError
from tfgate.gate.approvals import Trusted, read_approval
from tfgate.gate.signers import Signers
from tfgate.server.approval_tables import ApprovalsTable
from tfgate.server.approvals.desk import NotTakenError, may_ask
from tfgate.server.approvals.store import Needs, Person

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """Yield a database's address; ``None`` for a file of the test's own."""
    if request.param == "sqlite":
        yield None
        return
    database = Postgres()
    yield database.url.replace("postgresql://", "postgresql+psycopg://")
    database.close()


@pytest.fixture
def bench(url: str | None, tmp_path: Path) -> Iterator[DeskBench]:
    """Yield a desk with nothing on it."""
    from tfgate.server.approvals.store import metadata

    bench = DeskBench(
        tmp_path, url or f"sqlite:///{tmp_path / 'd.sqlite'}", new_key(tmp_path, "server")
    )
    yield bench
    metadata.drop_all(bench.engine)
    bench.engine.dispose()


def test_an_approval_is_signed_for_who_gave_it(bench: DeskBench) -> None:
    """What is signed names the person with issuer and roles, and holds as long as was asked."""
    key = bench.ask()
    dora = msgspec.structs.replace(DORA, groups=("sre", "db-admins"))
    assert bench.answer(key, dora) == "approved"
    (answer,) = bench.desk.find(key).answers
    file = bench.folder / "servers"
    file.write_text(signer("gate", bench.key, 'namespaces="tfgate-approval-server"'))
    trusted = Trusted(None, Signers(file, "", None))
    now = dt.datetime.fromtimestamp(bench.now, dt.timezone.utc)
    read = read_approval(answer.signed or b"", "a", trusted, now)
    assert read.approval.principals == ("dora@acme.example",)
    assert (read.approval.issuer, read.approval.subject) == (DORA.issuer, "1")
    assert read.approval.roles == ("dba",)
    assert read.statement.request == bench.desk.find(key).asked.request
    assert read.approval.expires - read.approval.approved == dt.timedelta(hours=4)


def test_the_same_is_asked_once(bench: DeskBench) -> None:
    """Another check of the same plan finds the request, whatever its decision is called."""
    key = bench.ask()
    bench.now += 60
    assert bench.ask() == key
    assert bench.answer(key) == "approved"
    assert bench.ask() == key
    refused = bench.ask(plan="b")
    assert bench.answer(refused, approves=False) == "refused"
    assert bench.ask(plan="b") == refused, "a refusal is not asked away"


def test_many_ask_the_same_at_once(bench: DeskBench) -> None:
    """Of jobs that ask for the same plan at the same moment all get one request."""
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(bench.ask())) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1


def test_what_held_may_be_asked_again(bench: DeskBench) -> None:
    """After an approval's end the same plan is a new request; before it is the old one."""
    key = bench.ask()
    bench.answer(key)
    bench.now += 4 * 3600 - 1
    assert bench.ask() == key
    bench.now += 2
    assert bench.ask() != key


def test_a_newer_plan_replaces_the_older(bench: DeskBench) -> None:
    """Of one change in one workspace the latest plan waits; other changes are left alone."""
    old = bench.ask(change="pr-1")
    other, elsewhere = bench.ask(plan="b", change="pr-2"), bench.ask("dev", change="pr-1")
    new = bench.ask(plan="c", change="pr-1")
    assert "the plan has changed" in bench.refused(old)
    assert [bench.desk.find(key).asked.state for key in (other, elsewhere, new)] == ["waiting"] * 3
    assert bench.desk.find(old).answers == []
    bench.now += 1
    back = bench.ask(change="pr-1")
    assert back != old, "back at the old plan: a new request"
    assert bench.desk.find(new).asked.state == "replaced"


def test_another_job_replaces_nothing(bench: DeskBench) -> None:
    """A plan for the same workspace by another job leaves this one waiting."""
    key = bench.ask(change="pr-1")
    stranger = msgspec.structs.replace(JOB, subject="repo:acme/other:pull_request")
    bench.desk.ask(bench.asking(plan="b", change="pr-1"), stranger)
    assert bench.desk.find(key).asked.state == "waiting"


def test_two_people(bench: DeskBench) -> None:
    """Where two are needed one waits on; a person counts once, also under another name."""
    key = bench.ask("two-a")
    assert bench.answer(key) == "waiting"
    assert bench.refused(key) == "You have answered already."
    again = msgspec.structs.replace(DORA, subject="3", names=("dora+x@acme.example",))
    assert bench.answer(key, again) == "waiting"
    assert bench.answer(key, ERIN) == "approved"


def test_one_refusal_ends_it(bench: DeskBench) -> None:
    """A refusal after an approval refuses, and no approval is handed out."""
    key = bench.ask("two-a")
    assert bench.answer(key) == "waiting"
    assert bench.answer(key, ERIN, approves=False) == "refused"
    frank = msgspec.structs.replace(DORA, names=("frank@acme.example",), subject="4")
    assert "refused meanwhile" in bench.refused(key, frank)


def test_the_gate_may_need_more(bench: DeskBench) -> None:
    """More people and roles by the gate's word count as far as the server knows the roles."""
    key = bench.ask(needs=Needs(people=2, roles=("dba", "unknown-here")))
    assert bench.answer(key) == "waiting"
    assert bench.answer(key, ERIN) == "waiting"
    admin = Person(
        names=("ada@acme.example",), issuer=DORA.issuer, subject="5", groups=("sre", "db-admins")
    )
    assert bench.answer(key, admin) == "approved"


def test_a_role_is_needed(bench: DeskBench) -> None:
    """Where a role is needed an approval without it waits for one with it."""
    key = bench.ask("db-1")
    assert bench.answer(key) == "waiting"
    assert bench.desk.find(key).missing == "needs an approval by somebody with the role dba"
    admin = msgspec.structs.replace(ERIN, groups=("on-call-1", "sre", "db-admins"))
    assert bench.answer(key, admin) == "approved"


@pytest.mark.parametrize(
    ("person", "sentence"),
    [
        (msgspec.structs.replace(DORA, groups=("interns",)), "in no group"),
        (msgspec.structs.replace(DORA, names=("olga@acme.example",)), "own apply"),
        (msgspec.structs.replace(DORA, names=("o@acme.example", "Olga")), "own apply"),
        (msgspec.structs.replace(DORA, names=("otto@acme.example",)), "wrote the change"),
        (msgspec.structs.replace(DORA, names=("alice",)), "own apply"),
        (Person(names=("x",), issuer=JOB.issuer, subject=JOB.subject, groups=("sre",)), "yourself"),
    ],
)
def test_who_cannot_answer(bench: DeskBench, person: Person, sentence: str) -> None:
    """No group, the operator, the author, or whoever asked: told so, and nothing is changed."""
    key = bench.ask()
    assert sentence in bench.refused(key, person)
    assert bench.desk.find(key).answers == []


def test_of_two_at_once_one_answers(bench: DeskBench) -> None:
    """Of an approval and a refusal at the same moment one counts; the other is told."""
    for number in range(5):
        key = bench.ask(plan="abcde"[number], change=str(number))
        said: list[str] = []
        barrier = threading.Barrier(2)

        def click(
            person: Person, approves: bool, key: str = key, said: list[str] = said,
            barrier: threading.Barrier = barrier,
        ) -> None:  # fmt: skip
            barrier.wait()
            try:
                said.append(bench.answer(key, person, approves=approves))
            except NotTakenError as error:
                said.append(error.message)

        threads = [
            threading.Thread(target=click, args=(DORA, True)),
            threading.Thread(target=click, args=(ERIN, False)),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        standing = bench.desk.find(key)
        assert len(standing.answers) == 1
        assert standing.asked.state == ("approved" if standing.answers[0].approves else "refused")
        assert sum("meanwhile" in each for each in said) == 1


def test_one_person_clicks_twice_at_once(bench: DeskBench) -> None:
    """Two clicks of one person at the same moment are one answer."""
    key = bench.ask("two-a")
    said: list[str] = []

    def click() -> None:
        try:
            said.append(bench.answer(key))
        except NotTakenError as error:
            said.append(error.message)

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said).count("waiting") == 1
    assert len(bench.desk.find(key).answers) == 1


def test_it_ends(bench: DeskBench) -> None:
    """After its time nobody can answer, and the same may be asked again."""
    key = bench.ask()
    bench.now += 24 * 3600
    assert "its time is over" in bench.refused(key)
    assert bench.desk.find(key).asked.state == "ended"
    assert bench.ask() != key


def test_it_is_withdrawn(bench: DeskBench) -> None:
    """What the job takes back nobody can answer."""
    key = bench.ask()
    bench.desk.withdraw(key)
    assert "taken it back" in bench.refused(key)


def test_too_many_wait(bench: DeskBench) -> None:
    """Beyond the bound requests are turned away; one that waits already is found all the same."""
    keys = [bench.ask(plan=plan, change=plan) for plan in "abcde"]
    with pytest.raises(NotTakenError) as caught:
        bench.ask(plan="f", change="f")
    assert caught.value.status == 429
    assert bench.ask(plan="a", change="a") == keys[0]
    assert bench.ask(plan="f", change="a"), "in the place of an older plan there is room"


@pytest.mark.parametrize(
    ("workspace", "more", "sentence"),
    [
        ("prod", {"findings": ()}, "lists no finding"),
        ("prod", {"break_glass": True}, "not in a browser"),
        ("prod", {"expires": dt.datetime(2000, 1, 1, tzinfo=dt.timezone.utc)}, "asks for no time"),
        ("prod", {"operator": ""}, "asks for no"),
    ],
)
def test_what_is_not_taken(
    bench: DeskBench, workspace: str, more: dict[str, Any], sentence: str
) -> None:
    """A request that nobody could approve is refused when it is sent."""
    with pytest.raises(NotTakenError, match=sentence):
        bench.ask(workspace, **more)


def test_a_forged_finding(bench: DeskBench) -> None:
    """A finding whose fingerprint does not fit what it says is not shown to anybody."""
    (finding,) = bench.asking().request.findings
    forged = msgspec.structs.replace(finding, message="harmless")
    with pytest.raises(NotTakenError, match="fingerprint"):
        bench.ask(findings=(forged,))
    hard = msgspec.structs.replace(finding, enforcement="hard-mandatory")
    with pytest.raises(NotTakenError, match="hard-mandatory"):
        bench.ask(findings=(hard,))


def test_what_is_told(bench: DeskBench) -> None:
    """Each webhook hears of what it wants, once, and of an end before it comes."""
    key = bench.ask("told-1")
    bench.ask("told-1")
    bench.desk.sweep()
    bench.now += 23 * 3600 + 60
    bench.desk.sweep()
    bench.desk.sweep()
    bench.answer(key)
    due = bench.store.take_notices(bench.now, 60, 50)
    told = sorted((one.webhook, one.notice.event) for one in due)
    assert told == [("all", "approved"), ("all", "ending"), ("all", "wanted"), ("last", "ending")]
    assert bench.store.take_notices(bench.now, 60, 50) == [], "nobody else sends them meanwhile"


def test_what_is_old_is_forgotten(bench: DeskBench) -> None:
    """After keep_days a closed request is gone with its answers; one that waits stays."""
    key = bench.ask("told-1", review="<p>page</p>")
    bench.answer(key)
    assert bench.store.review(key) == "<p>page</p>"
    bench.now += 91 * 86400
    waiting = bench.ask(plan="b")
    bench.desk.sweep()
    assert bench.store.read(key) is None
    assert bench.store.answers(key) == []
    assert bench.store.read(waiting) is not None


def test_sessions_and_logins_end(bench: DeskBench) -> None:
    """A session is over at its time; a login is taken once, and not after its time."""
    bench.store.open_session("s", DORA, bench.now + 10)
    bench.store.open_login("l", b"sealed", bench.now + 10)
    bench.store.open_login("late", b"sealed", bench.now + 10)
    assert bench.store.session("s", bench.now) == DORA
    assert bench.store.take_login("l", bench.now) == b"sealed"
    assert bench.store.take_login("l", bench.now) is None
    bench.now += 11
    assert bench.store.session("s", bench.now) is None
    assert bench.store.take_login("late", bench.now) is None


@pytest.mark.parametrize(
    ("issuer", "claims", "workspace", "may"),
    [
        ("github", {"repository": ["acme/infra"], "sub": ["x"]}, "prod", True),
        ("github", {"repository": ["acme/other"], "sub": ["x"]}, "prod", False),
        ("github", {"sub": ["x"]}, "prod", False),
        ("github", {"repository": ["acme/other", "acme/infra"]}, "prod", True),
        ("github", {"repository": ["acme/other"]}, "dev-1", True),
        ("gitlab", {"repository": ["acme/infra"]}, "prod", False),
    ],
)
def test_which_jobs_may_ask(
    issuer: str, claims: dict[str, list[str]], workspace: str, may: bool
) -> None:
    """A job may ask by its issuer, every claim that is named, and the workspace."""
    jobs = [
        {"issuer": "github", "claims": {"repository": ["acme/infra"]}, "workspaces": ["prod"]},
        {"issuer": "github", "workspaces": ["dev-*"]},
    ]
    table = msgspec.convert({**TABLE, "jobs": jobs}, ApprovalsTable)
    assert may_ask(table, issuer, claims, workspace) is may


def test_what_the_job_s_token_says_is_compared(bench: DeskBench) -> None:
    """A claim of the token that names a person is theirs, whatever the operator is called."""
    job = msgspec.structs.replace(JOB, name="infra@github", claims={"actor": "dora"})
    key = bench.desk.ask(bench.asking(), job).id
    assert "own apply" in bench.refused(key)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"provider": {"issuer": "http://login.example", "client_id": "t"}}, "not an https"),
        ({"approvers": [{"groups": ["a"], "roles": ["dbb"]}]}, "the role 'dbb'"),
        ({"webhooks": [{"name": "a"}]}, "one of url and url_env"),
        ({"webhooks": [{"name": "a", "url": "https://x", "url_env": "X"}]}, "one of url and"),
        ({"webhooks": [{"name": "a", "url": "https://u:p@x"}]}, "not an https"),
        ({"webhooks": [{"name": "a", "url": "https://x:y"}]}, "not an https"),
        (
            {"webhooks": [{"name": "a", "url": "https://x"}, {"name": "a", "url": "https://y"}]},
            "two have the same name",
        ),
    ],
)
def test_what_is_wrong_in_the_configuration(changed: dict[str, Any], sentence: str) -> None:
    """What could not work is said when the configuration is read."""
    table = msgspec.convert({**TABLE, **changed}, ApprovalsTable)
    with pytest.raises(UsageError, match=sentence):
        table.check()
