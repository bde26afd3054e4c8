"""Approvals in the browser: a real server, a real provider over TLS, jobs with tokens, attacks."""

from __future__ import annotations

import json
import re
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("dbos", reason="This test needs tfgate[server].")
pytest.importorskip("authlib", reason="This test needs tfgate[server].")
pytest.importorskip("trustme", reason="This test needs trustme.")

import trustme

from tests.support.approval_site import (
    PEOPLE,
    SECRET,
    ApprovalSite,
    Person,
    plan_with,
)
from tests.support.judging import RULES
from tests.support.oidc_provider import CLIENT_SECRET
from tests.support.postgres import Postgres
from tests.support.receiver import receiving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>\u202e'


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ApprovalSite]:
    """Yield a running server, and a gate whose one rule denies long inputs."""
    database = None if request.param == "sqlite" else Postgres()
    site = ApprovalSite(
        tmp_path_factory.mktemp("site"), database=None if database is None else database.url
    )
    (site.folder / "rules.toml").write_text(RULES.format(level="soft-mandatory", approvals=1))
    try:
        yield site.start()
    finally:
        site.close()
        if database is not None:
            database.close()


@pytest.fixture
def dora(site: ApprovalSite) -> Iterator[Person]:
    """Yield somebody who may approve."""
    person = site.person("sub-dora")
    yield person
    person.close()


_number = 0


def asked(site: ApprovalSite, **env: str) -> str:
    """Have a job ask for a plan of its own, and return the request's id."""
    global _number
    _number += 1
    name = f"p{_number}.json"
    (site.folder / name).write_text(plan_with(f"far-too-long-{_number}"))
    env = {"GITHUB_REF": f"refs/pull/{_number}/merge", **env}
    done = site.run("check", name, f"--approval-request={site.url}", **env)
    assert done.returncode == 1, done.stderr
    found = re.search(r"/approvals/([0-9a-f]{32}) waits for an answer", done.stderr)
    assert found is not None, done.stderr
    return found[1]


def state(site: ApprovalSite, key: str, token: str | None = None) -> Any:
    """Return how a request stands, as its job is told."""
    return site.post(f"/{key}/wait", {"seconds": 0}, token).json()


def title(answer: httpx.Response) -> str:
    """Return a page's heading."""
    found = re.search(r"<h1>(.*?)</h1>", answer.text)
    return "" if found is None else re.sub(r"<[^>]+>", "", found[1])


def test_from_the_denial_to_the_decision(site: ApprovalSite, dora: Person) -> None:
    """A denied plan is asked for, approved in a browser, waited for, and let through."""
    key = asked(site)
    page = dora.get("/approvals")
    assert f'href="/approvals/{key}"' in page.text
    page = dora.answer(key, "approve", "planned move, CHG-1")
    assert page.url.path == f"/approvals/{key}"
    assert "planned move, CHG-1" in page.text
    waited = site.run("approvals", "wait", key, "--server", site.url, "--timeout", "5s")
    assert waited.returncode == 0, waited.stderr
    assert "dora@acme.example approved: planned move, CHG-1" in waited.stderr
    done = site.run("check", f"p{_number}.json", "--approval", "approvals")
    assert done.returncode == 0, done.stdout
    last = json.loads((site.folder / "audit.jsonl").read_text().splitlines()[-1])
    (override,) = last["overrides"]
    assert override["approver"] == "dora@acme.example"
    assert (override["issuer"], override["subject"]) == (site.provider.url, "sub-dora")
    assert (override["source"], override["roles"]) == ("browser", ["dba"])


def test_the_wait_of_a_pipeline(site: ApprovalSite, dora: Person) -> None:
    """It ends with 3 when the time is over, and with 1 when somebody refuses, with the reason."""
    key = asked(site)
    plan = f"p{_number}.json"
    late = site.run("approvals", "wait", "--plan", plan, "--server", site.url, "--timeout", "1s")
    assert (late.returncode, "waits for an answer" in late.stderr) == (3, True)
    threading.Timer(2.0, lambda: dora.answer(key, "refuse", "not today")).start()
    done = site.run("approvals", "wait", "--plan", plan, "--server", site.url, "-o", "none")
    assert done.returncode == 1
    assert "dora@acme.example refused: not today" in done.stderr
    assert not (site.folder / "none").exists()
    again = site.run("check", plan, f"--approval-request={site.url}")
    assert "was refused" in again.stderr, "the same plan is not asked for again"


def test_the_review_is_beside_it(site: ApprovalSite, dora: Person) -> None:
    """The review of the plan comes from the job, and is shown as what a stranger wrote."""
    key = asked(site)
    page = dora.get(f"/approvals/{key}")
    assert f'<iframe sandbox title="Review of the plan" src="/approvals/{key}/review">' in page.text
    review = dora.get(f"/approvals/{key}/review")
    assert "Review of a Terraform plan" in review.text
    policy = review.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "script-src" not in policy
    assert page.headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


def test_nothing_without_a_login(site: ApprovalSite) -> None:
    """Every page sends a stranger to the provider; forms and reviews are refused."""
    key = asked(site)
    stranger = site.person("nobody")
    for path in ("/approvals", f"/approvals/{key}"):
        answer = stranger.http.get(f"{site.url}{path}")
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/approvals/login")
    assert stranger.http.get(f"{site.url}/approvals/{key}/review").status_code == 401
    assert stranger.send(key, answer="approve", reason="x").status_code == 401
    stranger.http.cookies.set("tfgate-session", f"{'a' * 43}.{'0' * 64}")
    assert stranger.http.get(f"{site.url}/approvals").status_code == 303
    assert state(site, key)["state"] == "waiting"
    stranger.close()


def test_who_is_in_no_group_sees_nothing(site: ApprovalSite) -> None:
    """Somebody else of the company is logged in, and neither sees a request nor answers one."""
    key = asked(site)
    mallory = site.person("sub-mallory")
    page = mallory.get("/approvals")
    assert page.status_code == 200
    assert key not in page.text
    page = mallory.get(f"/approvals/{key}")
    assert page.status_code == 404
    assert "T-IN" not in page.text
    assert mallory.get(f"/approvals/{key}/review").status_code == 404
    mallory.close()


def test_nobody_approves_their_own(site: ApprovalSite) -> None:
    """Whom the job's token names as its actor cannot answer, and is told so before."""
    key = asked(site)
    alice = site.person("sub-alice")
    page = alice.get(f"/approvals/{key}")
    assert "nobody approves their own" in page.text
    assert 'class="answer"' not in page.text
    csrf = re.search(r'name="csrf" value="(\w+)"', page.text)
    assert csrf is not None
    answer = alice.send(key, csrf=csrf[1], answer="approve", reason="x")
    assert answer.status_code == 409
    assert state(site, key)["state"] == "waiting"
    alice.close()


# Forms.


def test_forms_of_another_site(site: ApprovalSite, dora: Person) -> None:
    """A form without this session's token, or from another origin, changes nothing."""
    key = asked(site)
    form = dora.form(dora.get(f"/approvals/{key}").text)
    erin = site.person("sub-erin")
    other = erin.form(erin.get(f"/approvals/{key}").text)
    fields = {"answer": "approve", "reason": "x", "shown": form["shown"]}
    assert dora.send(key, **fields).status_code == 403
    assert dora.send(key, **fields, csrf=other["csrf"]).status_code == 403
    assert dora.send(key, **fields, csrf="").status_code == 403
    url = f"{site.url}/approvals/{key}"
    for origin in ("https://evil.example", "null", f"{site.url}.evil.example"):
        answer = dora.http.post(
            url, data={**fields, "csrf": form["csrf"]}, headers={"Origin": origin}
        )
        assert answer.status_code == 403
    assert dora.http.get(f"{url}?answer=approve&reason=x&csrf={form['csrf']}").status_code == 200
    assert dora.http.post(f"{site.url}/approvals/logout", data={}).status_code == 403
    assert state(site, key)["state"] == "waiting"
    cookies = dora.http.get(f"{site.url}/approvals/login").headers.get_list("set-cookie")
    assert all("HttpOnly" in cookie and "SameSite=" in cookie for cookie in cookies)
    erin.close()


def test_an_answer_needs_a_reason(site: ApprovalSite, dora: Person) -> None:
    """Without one, with a very long one, or with neither answer, nothing is answered."""
    key = asked(site)
    form = dora.form(dora.get(f"/approvals/{key}").text)
    for fields in (
        {"answer": "approve", "reason": " \t"},
        {"answer": "approve", "reason": "x" * 2001},
        {"answer": "maybe", "reason": "x"},
        {"reason": "x"},
        {"answer": "approve", "reason": "x", "shown": "0" * 64},
    ):
        answer = dora.send(key, **{**form, **fields})
        assert answer.status_code == 409
        assert 'role="alert"' in answer.text
    assert dora.send(key, **form, answer="approve", reason="x" * 70_000).status_code == 403
    assert state(site, key)["state"] == "waiting"


# Logins.


def test_the_session_is_new_after_a_login(site: ApprovalSite) -> None:
    """A session that somebody else put into the browser is not the one that is logged in."""
    mallory, dora = site.person("sub-mallory"), site.person("sub-dora")
    mallory.get("/approvals")
    planted = mallory.http.cookies["tfgate-session"]
    dora.http.cookies.set("tfgate-session", planted, domain="127.0.0.1", path="/")
    dora.get("/approvals/login")
    own = dora.http.cookies["tfgate-session"]
    assert own != planted
    assert mallory.http.get(f"{site.url}/approvals").status_code == 303, "it has ended"
    before = own
    dora.get("/approvals/login")
    assert dora.http.cookies["tfgate-session"] != before
    dora.http.cookies.set("tfgate-session", before, domain="127.0.0.1", path="/")
    assert dora.http.get(f"{site.url}/approvals").status_code == 303
    for person in (mallory, dora):
        person.close()


def test_a_logout_ends_the_session(site: ApprovalSite, dora: Person) -> None:
    """What the cookie held is worth nothing afterwards."""
    page = dora.get("/approvals")
    cookie = dora.http.cookies["tfgate-session"]
    csrf = re.search(r'name="csrf" value="(\w+)"', page.text)
    assert csrf is not None
    answer = dora.http.post(f"{site.url}/approvals/logout", data={"csrf": csrf[1]})
    assert title(answer) == "Logged out"
    dora.http.cookies.set("tfgate-session", cookie, domain="127.0.0.1", path="/")
    assert dora.http.get(f"{site.url}/approvals").status_code == 303


@pytest.mark.parametrize(
    "back",
    ["//evil.example", "https://evil.example", "/\\evil.example", "..%2f..%2fevil", "a\r\nX: y"],
)
def test_a_login_leads_nowhere_else(site: ApprovalSite, dora: Person, back: str) -> None:
    """Whatever a link says, a login ends on a page of this server."""
    page = dora.get(f"/approvals/login?back={back}")
    assert str(page.url) == f"{site.url}/approvals"
    hosts = {address.split("/")[2] for address in dora.seen}
    assert hosts == {site.url.split("/")[2], site.provider.url.split("/")[2]}


def test_a_callback_counts_once(site: ApprovalSite) -> None:
    """The answer of a login is worth nothing again, in another browser, or with another state."""
    dora, other = site.person("sub-dora"), site.person("sub-mallory")
    start = dora.http.get(f"{site.url}/approvals/login")
    stopped = dora._settle(start, stop="/approvals/callback")
    callback = dora.next(stopped) or ""
    assert "code=" in callback
    assert "state=" in callback
    # In another browser, which has begun a login of its own.
    other.http.get(f"{site.url}/approvals/login")
    assert title(other.http.get(callback)) == "Log in again"
    assert title(dora.http.get(callback)) == "Log in again", "taken out of use by the attempt"
    dora.get("/approvals/login")
    used = next(address for address in reversed(dora.seen) if "/callback?" in address)
    assert title(dora.http.get(used)) == "Log in again"
    forged = re.sub(r"state=[^&]*", "state=" + "x" * 43, used)
    assert title(dora.http.get(forged)) == "Log in again"
    for query in ("", "state=x&code=y", "error=access_denied&state=x", "state=&iss=x"):
        assert dora.http.get(f"{site.url}/approvals/callback?{query}").status_code == 400
    for person in (dora, other):
        person.close()


def test_the_code_of_another_login(site: ApprovalSite) -> None:
    """A code that was given for another login (its PKCE and nonce) logs nobody in."""
    victim, mallory = site.person("sub-dora"), site.person("sub-mallory")
    first = victim._settle(
        victim.http.get(f"{site.url}/approvals/login"), stop="/approvals/callback"
    )
    second = mallory._settle(
        mallory.http.get(f"{site.url}/approvals/login"), stop="/approvals/callback"
    )
    code = re.search(r"code=([^&]*)", mallory.next(second) or "")
    assert code is not None
    injected = re.sub(r"code=[^&]*", f"code={code[1]}", victim.next(first) or "")
    answer = victim.http.get(injected)
    assert answer.status_code == 403
    assert "tfgate-session" not in victim.http.cookies
    for person in (victim, mallory):
        person.close()


def test_an_approver_who_lost_the_group(site: ApprovalSite, dora: Person) -> None:
    """Groups are the provider's at the moment of the answer, not those of the login."""
    key = asked(site)
    page = dora.get(f"/approvals/{key}")
    people = {**PEOPLE, "sub-dora": {**PEOPLE["sub-dora"], "groups": ["interns"]}}
    site.provider.people(people)
    try:
        sent = dora.send(key, **dora.form(page.text), answer="approve", reason="x")
        answer = dora._settle(sent)
        assert answer.status_code == 409
        assert "in no group" in answer.text
        assert dora.get(f"/approvals/{key}").status_code == 404, "nor does the page show it now"
    finally:
        site.provider.people(PEOPLE)
    assert state(site, key)["state"] == "waiting"


def test_somebody_else_confirms(site: ApprovalSite, dora: Person) -> None:
    """An answer that was begun by one person is not given by another at the provider."""
    key = asked(site)
    page = dora.get(f"/approvals/{key}")
    sent = dora.send(key, **dora.form(page.text), answer="approve", reason="x")
    provider = site.provider.url.split("/")[2].split(":")[0]
    for cookie in list(dora.http.cookies.jar):
        if cookie.domain.startswith(provider) and provider != "127.0.0.1":
            dora.http.cookies.jar.clear(cookie.domain, cookie.path, cookie.name)
    dora.subject = "sub-erin"
    answer = dora._settle(sent)
    assert answer.status_code == 409
    assert "somebody else" in answer.text
    assert state(site, key)["state"] == "waiting"


# Plans that change, and clicks at once.


def test_a_plan_that_changed_in_between(site: ApprovalSite, dora: Person) -> None:
    """An answer to a page that was open before a new plan came is refused with a sentence."""
    key = asked(site, GITHUB_REF="refs/pull/900/merge")
    page = dora.get(f"/approvals/{key}")
    newer = asked(site, GITHUB_REF="refs/pull/900/merge")
    answer = dora.send(key, **dora.form(page.text), answer="approve", reason="x")
    assert answer.status_code == 409
    assert "the plan has changed, and a newer request has taken its place" in answer.text
    assert (state(site, key)["state"], state(site, newer)["state"]) == ("replaced", "waiting")
    waited = site.run("approvals", "wait", key, "--server", site.url, "--timeout", "5s")
    assert (waited.returncode, "the plan has changed" in waited.stderr) == (1, True)


def test_two_people_click_at_once(site: ApprovalSite) -> None:
    """Of an approval and a refusal at once one counts, and the other person is told."""
    key = asked(site)
    people = [site.person("sub-dora"), site.person("sub-erin")]
    forms = [person.form(person.get(f"/approvals/{key}").text) for person in people]
    pages: dict[int, str] = {}

    def click(number: int) -> None:
        person, word = people[number], ("approve", "refuse")[number]
        sent = person.send(key, **forms[number], answer=word, reason="x")
        pages[number] = person._settle(sent).text

    threads = [threading.Thread(target=click, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = state(site, key)
    assert len(found["answers"]) == 1
    assert found["state"] == ("approved" if found["answers"][0]["approves"] else "refused")
    assert sum("meanwhile" in page for page in pages.values()) == 1
    for person in people:
        person.close()


# Jobs.


def body_of(site: ApprovalSite) -> dict[str, Any]:
    """Return the request of a plan of its own."""
    global _number
    _number += 1
    name = f"p{_number}"
    (site.folder / f"{name}.json").write_text(plan_with(f"far-too-long-{_number}"))
    site.run("check", f"{name}.json", "--approval-request", f"{name}.request.json")
    return {"request": json.loads((site.folder / f"{name}.request.json").read_text())}


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"aud": "tfgate:test"}, 401),
        ({"aud": "https://another.example"}, 401),
        ({"aud": ["tfgate:test", "https://another.example"]}, 401),
        ({"iss": "https://evil.example"}, 401),
        ({"exp": 1_000_000_000}, 401),
        ({"repository": "evil/infra"}, 401),
        ({"repository": "acme/other"}, 403),
    ],
)
def test_tokens_of_other_jobs(site: ApprovalSite, claims: dict[str, Any], status: int) -> None:
    """A token for the gate, of another issuer, expired, or of another repository asks in vain."""
    answer = site.post("", body_of(site), site.token(**claims))
    assert answer.status_code == status, answer.text


def test_requests_without_a_good_token(site: ApprovalSite) -> None:
    """No token, no JWT, ``alg: none`` and a changed signature are all 401."""
    body = body_of(site)
    good = site.token()
    header, claims, signature = good.split(".")
    none = "eyJhbGciOiJub25lIn0"
    for token in ("", "x", f"{none}.{claims}.", f"{header}.{claims}.{signature[:-4]}AAAA"):
        assert site.post("", body, token).status_code == 401
    assert site.post("", body, good).status_code == 200
    assert site.post("", {**body, "more": 1}, good).status_code == 400
    assert site.post("", {"request": {}}, good).status_code == 400
    assert site.post("", {**body, "review": "x" * 9_000_000}, good).status_code == 413


def test_another_job_cannot_know_or_withdraw(site: ApprovalSite) -> None:
    """Only jobs that may ask for the workspace are told anything; only who asked withdraws."""
    key = asked(site)
    stranger = site.token(repository="acme/other", sub="repo:acme/other:ref:refs/heads/main")
    assert site.post(f"/{key}/wait", {}, stranger).status_code == 404
    plan = {"plan_sha256": "0" * 64}
    assert site.post("/find", plan, stranger).status_code == 404
    assert site.post(f"/{key}/withdraw", {}, stranger).status_code == 403
    sibling = site.token(sub="repo:acme/infra:pull_request")
    assert site.post(f"/{key}/withdraw", {}, sibling).status_code == 403
    assert state(site, key, sibling)["state"] == "waiting"
    assert site.post(f"/{key}/withdraw", {}).json()["state"] == "withdrawn"


def test_an_answer_waits_for_no_poll(site: ApprovalSite, dora: Person) -> None:
    """A job that waits is told within a second or two of the answer."""
    key = asked(site)
    told: list[float] = []

    def wait() -> None:
        site.post(f"/{key}/wait", {"seconds": 20})
        told.append(time.monotonic())

    thread = threading.Thread(target=wait)
    thread.start()
    dora.answer(key, "approve")
    answered = time.monotonic()
    thread.join()
    assert told[0] - answered < 5


def test_hostile_text_is_text(site: ApprovalSite, dora: Person) -> None:
    """Names, findings, claims and reasons with markup are shown as they are, and do nothing."""
    (site.folder / "hostile.json").write_text(plan_with(HOSTILE * 3))
    done = site.run(
        "check", "hostile.json", f"--approval-request={site.url}",
        TFGATE_OPERATOR=HOSTILE, GITHUB_REF=HOSTILE,
    )  # fmt: skip
    found = re.search(r"/approvals/([0-9a-f]{32}) waits", done.stderr)
    assert found is not None
    page = dora.answer(found[1], "refuse", f"no {HOSTILE}")
    for text in (page.text, dora.get("/approvals").text):
        assert "<script>" not in text
        assert "<img" not in text
        assert "\u202e" not in text
    assert "&lt;script&gt;alert(1)" in page.text


def test_a_server_that_is_killed_forgets_nothing(site: ApprovalSite, dora: Person) -> None:
    """Requests and sessions are there after a restart, and an answer can be given."""
    key = asked(site)
    page = dora.get(f"/approvals/{key}")
    site.kill()
    site.start()
    answer = dora.send(key, **dora.form(page.text), answer="approve", reason="x")
    dora._settle(answer)
    assert state(site, key)["state"] == "approved"


def test_no_token_anywhere(site: ApprovalSite, dora: Person) -> None:
    """Neither database, log, pages nor approvals hold a token or a secret."""
    key = asked(site)
    token = site.token()
    assert state(site, key, token)["state"] == "waiting"
    pages = [dora.get(path).text for path in ("/approvals", f"/approvals/{key}")]
    pages.append(dora.answer(key, "approve").text)
    site.run("approvals", "wait", key, "--server", site.url, "-o", "canary")
    written = b"".join(path.read_bytes() for path in (site.folder / "canary").iterdir())
    everything = site.contents() + written + "".join(pages).encode()
    cookie = dora.http.cookies["tfgate-session"]
    for secret in (
        token, token.split(".")[2], "request-token-of-a-job", CLIENT_SECRET, SECRET, cookie,
        cookie.split(".")[0],
    ):  # fmt: skip
        assert secret.encode() not in everything
    # The beginning of every JWT: {"alg":…, {"typ":…, {"kid":…
    assert not re.search(rb"eyJ(hbGciO|0eXAiO|raWQiO)", everything)
    assert not [line for line in site.log() if "Traceback" in line]


def test_without_tls_others_could_listen(tmp_path: Path) -> None:
    """A server whose address is plain http, and not of this machine, does not start."""
    site = ApprovalSite(tmp_path)
    try:
        site.url = "http://gate.acme.example"
        with pytest.raises(AssertionError, match=r"server\.url is not an https"):
            site.start()
    finally:
        site.close()


# The job's side.


def test_where_no_request_goes(site: ApprovalSite) -> None:
    """Not over plain HTTP, not without a token for the server, not to what is no server."""
    (site.folder / "w.json").write_text(plan_with("far-too-long-w"))
    done = site.run("check", "w.json", "--approval-request=http://gate.acme.example")
    assert (done.returncode, "is not the https:// address" in done.stderr) == (2, True)
    done = site.run(
        "check", "w.json", f"--approval-request={site.url}", ACTIONS_ID_TOKEN_REQUEST_URL="",
        TFGATE_IDENTITY_TOKEN=site.token("tfgate:test"),
    )  # fmt: skip
    assert (done.returncode, "There is no token of this job for" in done.stderr) == (2, True)
    done = site.run(
        "check", "w.json", "--approval-request=https://127.0.0.1:9", TFGATE_APPROVAL_TOKEN="x"
    )
    assert (done.returncode, "cannot be reached" in done.stderr) == (3, True)
    done = site.run("approvals", "wait", "nothing", "--server", site.url)
    assert (done.returncode, "is not the id of a request" in done.stderr) == (2, True)
    done = site.run("approvals", "wait", "0" * 32, "--server", site.url, "--timeout", "soon")
    assert (done.returncode, "is not a time" in done.stderr) == (2, True)
    done = site.run("approvals", "wait", "0" * 32, "--server", site.url)
    assert (done.returncode, "There is no such request" in done.stderr) == (3, True)


def test_the_token_for_the_gate_goes_nowhere(site: ApprovalSite) -> None:
    """The job asks its system for a token of the server's audience; the gate's own stays here."""
    own = site.token("tfgate:test")
    before = len(site.jobs.asked)
    asked(site, TFGATE_IDENTITY_TOKEN=own)
    audiences = {address for address in site.jobs.asked[before:] if "audience=" in address}
    assert all("127.0.0.1" in address for address in audiences)
    assert audiences


def test_a_wait_outlives_a_server_that_is_away(site: ApprovalSite, dora: Person) -> None:
    """A server that is killed and started again while a pipeline waits is asked again."""
    key = asked(site)
    results: list[int] = []
    thread = threading.Thread(
        target=lambda: results.append(
            site.run(
                "approvals", "wait", key, "--server", site.url, "--timeout", "60s", "-o", "away"
            ).returncode
        )
    )
    thread.start()
    time.sleep(2)
    site.kill()
    time.sleep(1)
    site.start()
    dora.answer(key, "approve")
    thread.join()
    assert results == [0]


def test_hard_rules_are_not_asked_for(site: ApprovalSite) -> None:
    """What no approval lets through is not sent to anybody."""
    (site.folder / "hard.toml").write_text(RULES.format(level="hard-mandatory", approvals=1))
    (site.folder / "h.json").write_text(plan_with("far-too-long-hard"))
    done = site.run("check", "h.json", "-r", "./hard.toml", f"--approval-request={site.url}")
    assert (done.returncode, "No approval can let this plan through" in done.stderr) == (1, True)


def test_people_are_notified_by_the_server(tmp_path: Path) -> None:
    """A running server sends what it has stored, to an address that only its environment holds."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "hook-ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    site = ApprovalSite(tmp_path)
    (tmp_path / "rules.toml").write_text(RULES.format(level="soft-mandatory", approvals=1))
    site.approvers += (
        '[[approvals.webhooks]]\nname = "chat"\nurl_env = "CHAT"\nformat = "slack"\n'
        'ca = "hook-ca.pem"\n'
    )
    with receiving(context) as receiver:
        site.env = {"CHAT": f"https://localhost:{receiver.port}/T0/secret-path"}
        try:
            site.start()
            key = asked(site)
            dora = site.person("sub-dora")
            dora.answer(key, "refuse", "not <!channel> today")
            assert receiver.wait_for(2)
            dora.close()
            everything = site.contents()
        finally:
            site.close()
    titles = [json.loads(request.body)["text"] for request in receiver.requests]
    assert titles == ["An approval is wanted: default", "Refused: default"]
    assert f"{site.url}/approvals/{key}" in receiver.requests[0].body.decode()
    assert b"secret-path" not in everything
