"""``tfgate approve --from``: whose reviews count, from the API to the decision that rests on them.

The data has the shapes that the documentation of GitHub's and GitLab's REST API gives.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from tests.support.judging import NOW, Bench
from tests.support.review_systems import System, serving
from tests.support.signing import signer
from tfgate.cli.main import main
from tfgate.errors import UsageError
from tfgate.exitcodes import ExitCode
from tfgate.gate.check import check
from tfgate.model.decision import Decision, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HEAD, OLD, MERGE = "a" * 40, "b" * 40, "c" * 40
TOKEN = "canary-token-of-the-job"
REPO = "/api/v3/repos/acme/infra"
PULL = f"{REPO}/pulls/7"


def user(login: str, number: int, kind: str = "User") -> dict[str, Any]:
    """An account of GitHub."""
    return {"login": login, "id": number, "type": kind, "site_admin": False}


def review(who: dict[str, Any] | None, state: str = "APPROVED", **more: Any) -> dict[str, Any]:
    """A review of the head."""
    number = more.pop("id", 80)
    return {
        "id": number,
        "user": who,
        "body": "fine \u001b[2J",
        "state": state,
        "html_url": f"https://github.com/acme/infra/pull/7#pullrequestreview-{number}",
        "commit_id": HEAD,
        "submitted_at": "2026-11-24T11:00:00Z",
        "author_association": "MEMBER",
        **more,
    }


def commit(author: dict[str, Any] | None, email: str, sha: str = HEAD) -> dict[str, Any]:
    """A commit of the pull request."""
    person = {"name": "N", "email": email, "date": "2026-11-24T10:00:00Z"}
    committer = {"name": "GitHub", "email": "noreply@github.com"}
    return {
        "sha": sha,
        "commit": {"author": person, "committer": committer, "message": "m"},
        "author": author,
        "committer": user("web-flow", 19864447),
        "parents": [{"sha": OLD}],
    }


PETER, RITA, REX, BOT = user("peter", 1), user("rita", 2), user("rex", 3), user("ci", 4, "Bot")


class Room:
    """A gate, a plan that is denied, and a GitHub Enterprise with a pull request."""

    def __init__(self, bench: Bench, system: System, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bench, self.system = bench, system
        self.env = {"GITHUB_ACTIONS": "true", "GITHUB_SHA": HEAD, "TFGATE_AUTHOR": "peter"}
        bench.request = replace(bench.request, env={**bench.request.env, **self.env})
        bench.write("servers", signer("job", bench.gate, 'namespaces="tfgate-approval-server"'))
        text = (bench.folder / "tfgate.toml").read_text()
        text = text.replace('allowed_signers = "approvers"\n', 'servers = "servers"\n')
        self.table = f'url = "{system.url}"\nrepositories = ["acme/*"]\n'
        text += f'\n[approvals.github]\n{self.table}teams = ["acme/platform"]\n'
        bench.write("tfgate.toml", text)
        monkeypatch.chdir(bench.folder)
        for name in ("TFGATE_CONFIG", "GH_TOKEN", "TFGATE_REVIEW_TOKEN", "HTTPS_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("SSL_CERT_FILE", system.ca_file)
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        monkeypatch.setenv("GITLAB_TOKEN", TOKEN)
        monkeypatch.setenv("GITHUB_REPOSITORY", "acme/infra")
        monkeypatch.setenv("GITHUB_REF", "refs/pull/7/merge")
        self.pull = {
            "number": 7,
            "state": "open",
            "html_url": "https://github.com/acme/infra/pull/7",
            "user": PETER,
            "head": {"ref": "topic", "sha": HEAD},
            "base": {
                "ref": "main",
                "sha": OLD,
                "repo": {"full_name": "acme/infra", "default_branch": "main"},
            },
            "merged": False,
            "merge_commit_sha": MERGE,
            "commits": 1,
            "changed_files": 2,
        }
        system.found = {
            PULL: self.pull,
            f"{PULL}/commits": [commit(PETER, "peter@acme.example")],
            f"{PULL}/reviews": [review(RITA)],
            f"{PULL}/files": [{"filename": "main.tf"}, {"filename": "net/a.tf"}],
        }
        for who in ("rita", "rex", "peter", "ci"):
            self.join(who)

    def join(self, login: str, team: str = "platform") -> None:
        """Make somebody a member of a team."""
        path = f"/api/v3/orgs/acme/teams/{team}/memberships/{login}"
        self.system.found[path] = {"state": "active", "role": "member"}

    def configure(self, more: str) -> None:
        """Write the table of reviews anew."""
        text = (self.bench.folder / "tfgate.toml").read_text()
        head = text[: text.index("[approvals.github]")]
        self.bench.write("tfgate.toml", f"{head}[approvals.github]\n{self.table}{more}\n")

    def reviews(self, *given: dict[str, Any]) -> None:
        """Have these reviews, oldest first."""
        self.system.found[f"{PULL}/reviews"] = list(given)

    def run(self, *more: str, system: str = "github") -> int:
        """Ask for approvals by review."""
        path = self.bench.ask()
        key = str(self.bench.gate)
        return main(["approve", str(path), "--from", system, "--key", key, "-o", "by", *more])

    def files(self) -> list[Path]:
        """The approvals that were written."""
        return sorted(self.bench.folder.glob("by/*.approval.json"))

    def use(self, **changes: Any) -> Decision:
        """Check the plan with what was written."""
        found = tuple(map(str, self.files()))
        # The approval was signed by the clock of this machine.
        return check(replace(self.bench.request, approvals=found, **changes)).decision


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    """A gate whose rule is soft-mandatory, and a pull request that rita has approved."""
    monkeypatch.setattr("tfgate.approvals.approve.now_utc", lambda: NOW)
    with serving(tmp_path) as system:
        yield Room(Bench(tmp_path), system, monkeypatch)


def test_a_review_is_an_approval_and_says_where_it_came_from(room: Room) -> None:
    """From the API to the record: system, review, account, commit, team."""
    assert room.run() == 0
    decision = room.use()
    assert decision.verdict is Verdict.ALLOW, decision.warnings
    (override,) = room.bench.records()[-1]["overrides"]
    assert override["approver"] == "rita"
    assert override["issuer"] == room.system.url
    assert (override["subject"], override["source"]) == ("2", "github")
    assert override["where"].endswith("#pullrequestreview-80")
    assert override["review"] == {
        "system": "github",
        "repository": "acme/infra",
        "change": 7,
        "id": "80",
        "commit": HEAD,
        "head": HEAD,
        "given": "2026-11-24T11:00:00Z",
        "teams": ["acme/platform"],
    }


def test_the_token_goes_to_the_system_and_nowhere_else(
    room: Room, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither into the approval nor the record nor what is shown."""
    assert room.run() == 0
    room.use()
    assert {headers["authorization"] for _, headers in room.system.asked} == {f"Bearer {TOKEN}"}
    shown = capsys.readouterr()
    assert TOKEN not in shown.out + shown.err
    for path in room.bench.folder.rglob("*"):
        if path.is_file():
            assert TOKEN.encode() not in path.read_bytes(), path


Change = "Callable[[Room], object]"


def _set(**changes: Any) -> Callable[[Room], object]:
    return lambda room: room.pull.update(changes)


def _given(*reviews: dict[str, Any]) -> Callable[[Room], object]:
    return lambda room: room.reviews(*reviews)


def _found(path: str, value: Any) -> Callable[[Room], object]:
    return lambda room: room.system.found.update({path: value})


NOBODY: dict[str, tuple[Callable[[Room], object], str]] = {
    "the author": (_given(review(PETER)), "they opened the change"),
    "who wrote a commit": (
        _found(f"{PULL}/commits", [commit(RITA, "x@acme.example")]),
        "they opened the change",
    ),
    "who wrote a commit by an address that the system does not know": (
        _found(f"{PULL}/commits", [commit(None, "Rita@acme.example")]),
        "rita wrote the change",
    ),
    "the operator": (_given(review(user("Olga", 9))), "Olga is the operator"),
    "a bot": (_given(review(BOT)), "not a person's account"),
    "a deleted account": (_given(review(None)), "No review counts"),
    "a homograph": (_given(review(user("rit\u0430", 2))), "not a person's account"),
    "a review of an earlier commit": (
        _given(review(RITA, commit_id=OLD)),
        f"of the commit {OLD[:12]}",
    ),
    "a review of no commit": (_given(review(RITA, commit_id=None)), "of the commit none"),
    "one that was dismissed": (_given(review(RITA, "DISMISSED")), "it was dismissed"),
    "one that asks for changes later": (
        _given(review(RITA), review(RITA, "CHANGES_REQUESTED", id=81)),
        "it asks for changes",
    ),
    "the same by another name of the account": (
        _given(review(RITA), review(user("rita2", 2), "CHANGES_REQUESTED", id=81)),
        "it asks for changes",
    ),
    "a comment": (_given(review(RITA, "COMMENTED")), "No review counts"),
    "one that is not sent": (_given(review(RITA, "PENDING")), "No review counts"),
    "somebody of no team": (_given(review(user("zoe", 8))), "in no team"),
    "somebody who is only invited": (
        _found("/api/v3/orgs/acme/teams/platform/memberships/rita", {"state": "pending"}),
        "in no team",
    ),
    "nobody": (_given(), "No review counts"),
}


@pytest.mark.parametrize("case", NOBODY)
def test_who_does_not_count(room: Room, case: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1, nothing is signed, and the reason is said."""
    change, why = NOBODY[case]
    change(room)
    assert room.run() == 1
    assert why in capsys.readouterr().err
    assert room.files() == []


def test_a_comment_takes_nothing_back(room: Room) -> None:
    """A later approval counts again, and a comment changes nothing."""
    room.reviews(
        review(RITA, "CHANGES_REQUESTED"), review(RITA, id=81), review(RITA, "COMMENTED", id=82)
    )
    assert room.run() == 0


@pytest.mark.parametrize("links", [True, False])
def test_the_last_of_many_pages_counts(room: Room, *, links: bool) -> None:
    """Whether or not a proxy has taken the links to the next page out."""
    room.system.links = links
    many = [review(user(f"u{n}", 100 + n), "COMMENTED") for n in range(199)]
    room.reviews(review(RITA), *many, review(RITA, "CHANGES_REQUESTED", id=99))
    assert room.run() == 1


UNDECIDED: dict[str, tuple[Callable[[Room], object], str]] = {
    "another head": (_set(head={"sha": OLD}), "neither the head"),
    "a branch of the author's": (
        lambda room: room.pull["base"].update(ref="evil"),
        "goes to the branch evil",
    ),
    "another repository": (
        lambda room: room.pull["base"]["repo"].update(full_name="evil/infra"),
        "another repository, evil/infra",
    ),
    "more commits than are listed": (_set(commits=251), "cannot all be read"),
    "a page of HTML": (_found(PULL, b"<html>"), "has not the shape"),
    "wrong types": (_set(number="7"), "has not the shape"),
    "a null where an object is": (_set(head=None), "has not the shape"),
    "deep nesting": (_found(PULL, b"[" * 100_000), "has not the shape"),
    "an answer without end": (_found(PULL, b" " * (17 * 1024 * 1024)), "more than 16 MiB"),
    "nothing there": (lambda room: room.system.found.pop(PULL), "is not there (404)"),
    "a list without end": (
        _found(f"{PULL}/reviews", [review(user("u", 9), "COMMENTED")] * 3_100),
        "more than 3,000 items",
    ),
    "a failure": (
        lambda room: room.system.answers.update({PULL: (500, {}, b"")}),
        "answered 500",
    ),
    "a limit": (
        lambda room: room.system.answers.update({PULL: (403, {"x-ratelimit-remaining": "0"}, b"")}),
        "limit of requests is used up",
    ),
    "a limit with a time": (
        lambda room: room.system.answers.update({PULL: (429, {"retry-after": "60"}, b"")}),
        "asks to wait 60 s",
    ),
    "a token that is refused": (
        lambda room: room.system.answers.update({PULL: (401, {}, TOKEN.encode())}),
        "answered 401",
    ),
}


@pytest.mark.parametrize("case", UNDECIDED)
def test_what_cannot_be_read_counts_nobody(
    room: Room, case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 3, in one sentence, and nothing is signed."""
    change, why = UNDECIDED[case]
    change(room)
    assert room.run() == ExitCode.UNDECIDED
    said = capsys.readouterr().err
    assert why in said
    assert TOKEN not in said
    assert room.files() == []


def test_no_redirect_is_followed(
    room: Room, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The token stays with the system that the configuration names."""
    folder = tmp_path / "other"
    folder.mkdir()
    with serving(folder) as other:
        room.system.answers[PULL] = (302, {"location": f"{other.url}{PULL}"}, b"")
        assert room.run() == ExitCode.UNDECIDED
        assert "a redirect, which no token follows" in capsys.readouterr().err
        assert other.asked == []


def test_a_slow_answer_is_late(
    room: Room, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A byte now and then holds nobody."""
    monkeypatch.setattr("tfgate.approvals.reviews.SECONDS", 1)
    room.system.drip = 0.05
    assert room.run() == ExitCode.UNDECIDED
    assert "did not send all of" in capsys.readouterr().err


def test_half_an_answer_is_none(room: Room) -> None:
    """Of a list of owners the last line counts, which may be the one that is missing."""
    room.configure("code_owners = true")
    place = f"{REPO}/contents/.github/CODEOWNERS"
    owners = b"* @rita\n/net/ @rex\n"
    room.system.answers[place] = (200, {"content-length": str(len(owners))}, owners[:8])
    assert room.run() == ExitCode.UNDECIDED


def test_the_merge_that_github_made_is_the_commit_of_a_pull_request(room: Room) -> None:
    """A job on pull_request plans the merge of the head; only GitHub's own merge counts."""
    env = {**room.bench.request.env, "GITHUB_SHA": MERGE}
    room.bench.request = replace(room.bench.request, env=env)
    made = commit(None, "noreply@github.com", MERGE)
    room.system.found[f"{REPO}/commits/{MERGE}"] = {**made, "parents": [{"sha": OLD}]}
    assert room.run() == ExitCode.UNDECIDED
    made["parents"] = [{"sha": OLD}, {"sha": HEAD}]
    room.system.found[f"{REPO}/commits/{MERGE}"] = made
    assert room.run() == 0
    room.pull["merge_commit_sha"] = OLD
    assert room.run() == ExitCode.UNDECIDED


def test_a_commit_finds_its_pull_request(
    room: Room, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the branch, after the merge, nothing names the pull request but the commit."""
    monkeypatch.setenv("GITHUB_REF", "refs/heads/main")
    env = {**room.bench.request.env, "GITHUB_SHA": MERGE}
    room.bench.request = replace(room.bench.request, env=env)
    room.pull["merged"] = True
    room.system.found[f"{REPO}/commits/{MERGE}"] = commit(None, "x@acme.example", MERGE)
    room.system.found[f"{REPO}/commits/{MERGE}/pulls"] = [{"number": 7}]
    assert room.run() == 0
    room.system.found[f"{REPO}/commits/{MERGE}/pulls"] = [{"number": 7}, {"number": 8}]
    assert room.run() == UsageError.exit_code
    assert "belongs to several changes" in capsys.readouterr().err


OWNERS = b"* @acme/platform\n/net/ @rex\n"


def test_code_owners_count_where_every_file_has_one(room: Room) -> None:
    """CODEOWNERS is read from the branch that the change goes to, never from the change."""
    room.configure("code_owners = true")
    room.system.found[f"{REPO}/contents/.github/CODEOWNERS"] = OWNERS
    assert room.run() == 1, "net/a.tf has no owner who approves"
    room.reviews(review(RITA), review(REX, id=81))
    assert room.run() == 0
    assert len(room.files()) == 2
    asked = [target for target, _ in room.system.asked if "CODEOWNERS" in target]
    assert {target.rpartition("?")[2] for target in asked} == {"ref=main"}
    assert room.use().verdict is Verdict.ALLOW


def test_an_owner_who_wrote_the_change_does_not_cover_it(room: Room) -> None:
    """Coverage is by those who count alone."""
    room.configure("code_owners = true")
    room.system.found[f"{REPO}/contents/.github/CODEOWNERS"] = b"* @rita\n/net/ @peter\n"
    room.reviews(review(RITA), review(PETER, id=81))
    assert room.run() == 1


def test_what_is_owned_by_nobody_is_approved_by_no_owner(room: Room) -> None:
    """Also where the list of changed files is not whole, or there is no CODEOWNERS."""
    room.configure("code_owners = true")
    assert room.run() == 1
    room.system.found[f"{REPO}/contents/CODEOWNERS"] = b"/net/ @rita\n"
    assert room.run() == 1
    room.system.found[f"{REPO}/contents/CODEOWNERS"] = b"* @rita\n"
    assert room.run() == 0
    room.pull["changed_files"] = 3
    assert room.run() == 1


def test_counts_and_roles_are_those_of_all_approvals(room: Room) -> None:
    """``required`` counts people; a role may be a team."""
    room.bench.config(
        '[approvals.roles]\nsre = ["team:acme/sre"]\n'
        '[[approvals.needs]]\nrules = ["T-*"]\nrequired = 2\nroles = ["sre"]\n'
    )
    text = (room.bench.folder / "tfgate.toml").read_text()
    room.bench.write(
        "tfgate.toml", text.replace('["acme/platform"]', '["acme/platform", "acme/sre"]')
    )
    assert room.run() == 0
    assert room.use().verdict is Verdict.DENY
    room.reviews(review(RITA), review(REX, id=81))
    assert room.run() == 0
    decision = room.use()
    assert decision.verdict is Verdict.DENY
    assert any("the role sre" in warning for warning in decision.warnings)
    room.join("rex", "sre")
    assert room.run() == 0
    assert room.use().verdict is Verdict.ALLOW


GATE: dict[str, tuple[str, str, str]] = {
    "no table": ("[approvals.github]", "[approvals.gitlab]", "counts no reviews on github"),
    "another repository": ('["acme/*"]', '["other/*"]', "acme/infra do not count"),
    "another team": ('["acme/platform"]', '["acme/sre"]', "in no team whose reviews count"),
    "another system": ('url = "https://l', 'url = "https://evil.l', "it is a review on"),
}


@pytest.mark.parametrize("case", GATE)
def test_the_gate_asks_again_by_its_own_configuration(room: Room, case: str) -> None:
    """The job that signs may have another configuration than the gate."""
    assert room.run() == 0
    old, new, why = GATE[case]
    text = (room.bench.folder / "tfgate.toml").read_text()
    assert old in text
    room.bench.write("tfgate.toml", text.replace(old, new))
    decision = room.use()
    assert decision.verdict is Verdict.DENY
    assert any(why in warning for warning in decision.warnings), decision.warnings


def test_the_gate_takes_it_for_the_commit_that_is_checked_out(room: Room) -> None:
    """Nor does a person's own key sign a review."""
    assert room.run() == 0
    env = {**room.bench.request.env, "GITHUB_SHA": OLD}
    assert room.use(env=env).verdict is Verdict.DENY
    room.bench.write("servers", signer("job", room.bench.gate))
    decision = room.use()
    assert any("does not let its key sign this" in text for text in decision.warnings)


MISUSE: dict[str, tuple[Callable[[Room, pytest.MonkeyPatch], object], str]] = {
    "no token": (lambda _, env: env.delenv("GITHUB_TOKEN"), "no token to read reviews with"),
    "no repository": (lambda _, env: env.delenv("GITHUB_REPOSITORY"), "in which repository"),
    "a path that leads elsewhere": (
        lambda _, env: env.setenv("GITHUB_REPOSITORY", "acme/../../user"),
        "in which repository",
    ),
    "a repository that does not count": (
        lambda _, env: env.setenv("GITHUB_REPOSITORY", "evil/infra"),
        "Reviews in evil/infra do not count",
    ),
    "no table": (
        lambda room, _: room.bench.write("tfgate.toml", "[approvals]\nservers = 'servers'\n"),
        "has no [approvals.github]",
    ),
}


@pytest.mark.parametrize("case", MISUSE)
def test_what_is_missing_is_said_before_anything_is_asked(
    room: Room,
    case: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit code 2, and no request."""
    path = str(room.bench.ask())
    change, why = MISUSE[case]
    change(room, monkeypatch)
    words = ["approve", path, "--from", "github", "--key", str(room.bench.gate)]
    assert main(words) == UsageError.exit_code
    assert why in capsys.readouterr().err
    assert room.system.asked == []


def test_a_plan_of_no_known_commit_has_no_reviews(
    room: Room, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was planned may be anything then."""
    env = {k: v for k, v in room.bench.request.env.items() if k not in room.env}
    room.bench.request = replace(room.bench.request, env=env)
    assert room.run() == UsageError.exit_code
    assert "does not say which commit" in capsys.readouterr().err


# --- GitLab.


API = "/api/v4/projects/acme%2Finfra"
MR = f"{API}/merge_requests/7"


def gitlab_user(name: str, number: int, **more: Any) -> dict[str, Any]:
    """An account of GitLab."""
    shown = {"id": number, "username": name, "name": name.title(), "state": "active"}
    return {**shown, "locked": False, **more}


@pytest.fixture
def lab(room: Room, monkeypatch: pytest.MonkeyPatch) -> Room:
    """A GitLab with a merge request that rita has approved."""
    text = (room.bench.folder / "tfgate.toml").read_text()
    text = text.replace("[approvals.github]", "[approvals.gitlab]")
    room.bench.write("tfgate.toml", text.replace('"acme/platform"', '"acme/platform/tf"'))
    monkeypatch.setenv("CI_PROJECT_PATH", "acme/infra")
    monkeypatch.setenv("CI_MERGE_REQUEST_IID", "7")
    peter, rita = gitlab_user("peter", 1), gitlab_user("rita", 2)
    approved = {"user": rita, "approved_at": "2026-11-24T11:00:00.000Z"}
    room.system.found = {
        API: {"id": 5, "path_with_namespace": "acme/infra", "default_branch": "main"},
        MR: {
            "iid": 7,
            "web_url": "https://gitlab.com/acme/infra/-/merge_requests/7",
            "state": "opened",
            "sha": HEAD,
            "target_branch": "main",
            "target_project_id": 5,
            "author": peter,
            "merge_commit_sha": None,
            "squash_commit_sha": None,
        },
        f"{MR}/commits": [{"id": HEAD, "author_name": "Peter", "author_email": "p@x.example"}],
        f"{MR}/approvals": {"approved": True, "approved_by": [approved]},
        f"{MR}/versions": [
            {"id": 2, "head_commit_sha": HEAD, "created_at": "2026-11-24T10:30:00.000Z"},
            {"id": 1, "head_commit_sha": OLD, "created_at": "2026-11-24T09:00:00.000Z"},
        ],
        f"{MR}/notes": [],
        f"{MR}/approval_state": {
            "rules": [{"id": 1, "rule_type": "code_owner", "approved_by": [rita]}]
        },
        "/api/v4/users/2": {**rita, "bot": False},
        "/api/v4/groups/acme%2Fplatform%2Ftf/members/all/2": {"id": 2, "state": "active"},
    }
    return room


def test_an_approval_of_a_merge_request(lab: Room) -> None:
    """From the API to the record."""
    assert lab.run(system="gitlab") == 0
    decision = lab.use()
    assert decision.verdict is Verdict.ALLOW, decision.warnings
    (override,) = lab.bench.records()[-1]["overrides"]
    assert (override["approver"], override["subject"]) == ("rita", "2")
    assert override["review"]["teams"] == ["acme/platform/tf"]
    assert {headers["private-token"] for _, headers in lab.system.asked} == {TOKEN}


def _approved(at: str | None, **more: Any) -> dict[str, Any]:
    one = {"user": gitlab_user("rita", 2, **more)}
    return {"approved_by": [{**one, **({} if at is None else {"approved_at": at})}]}


def _note(body: str, at: str, *, system: bool = True) -> dict[str, Any]:
    author = gitlab_user("rita", 2)
    return {"id": 31, "body": body, "system": system, "author": author, "created_at": at}


LAB: dict[str, tuple[dict[str, Any], str]] = {
    "before the last push": (
        {f"{MR}/approvals": _approved("2026-11-24T10:30:00.000Z")},
        "before the last push",
    ),
    "nobody knows when": ({f"{MR}/approvals": _approved(None)}, "not known whether"),
    "a note that anybody can write": (
        {
            f"{MR}/approvals": _approved(None),
            f"{MR}/notes": [
                _note("approved this merge request", "2026-11-24T11:00:00Z", system=False)
            ],
        },
        "not known whether",
    ),
    "a push that is not listed": (
        {f"{MR}/versions": [{"head_commit_sha": OLD, "created_at": "2026-11-24T09:00:00Z"}]},
        "not known whether",
    ),
    "a bot": ({"/api/v4/users/2": {**gitlab_user("rita", 2), "bot": True}}, "not a person's"),
    "a blocked account": (
        {"/api/v4/users/2": gitlab_user("rita", 2, state="blocked")},
        "not active",
    ),
    "an account that is gone": ({"/api/v4/users/2": None}, "not a person's"),
    "who wrote a commit, by name": (
        {f"{MR}/commits": [{"author_name": "Rita", "author_email": "r@x.example"}]},
        "wrote the change",
    ),
    "the author": ({"/api/v4/users/2": {**gitlab_user("rita", 2), "id": 3}}, "not a person's"),
    "no member": ({"/api/v4/groups/acme%2Fplatform%2Ftf/members/all/2": None}, "in no team"),
    "a member who is blocked": (
        {"/api/v4/groups/acme%2Fplatform%2Ftf/members/all/2": {"id": 2, "state": "blocked"}},
        "in no team",
    ),
}


@pytest.mark.parametrize("case", LAB)
def test_whose_approval_does_not_count(
    lab: Room, case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1, and nothing is signed."""
    changes, why = LAB[case]
    for path, value in changes.items():
        lab.system.found[path] = value
        if value is None:
            del lab.system.found[path]
    assert lab.run(system="gitlab") == 1
    assert why in capsys.readouterr().err
    assert lab.files() == []


def test_an_older_gitlab_says_the_time_in_a_note(lab: Room) -> None:
    """One that the system wrote."""
    lab.system.found[f"{MR}/approvals"] = _approved(None)
    lab.system.found[f"{MR}/notes"] = [_note("approved this merge request", "2026-11-24T11:00:00Z")]
    assert lab.run(system="gitlab") == 0
    (path,) = lab.files()
    assert json.loads(path.read_text())["payload"]


def test_code_owners_of_gitlab_are_its_own_rules(lab: Room) -> None:
    """Each rule needs one of those who count."""
    text = (lab.bench.folder / "tfgate.toml").read_text()
    lab.bench.write(
        "tfgate.toml", text.replace('teams = ["acme/platform/tf"]', "code_owners = true")
    )
    assert lab.run(system="gitlab") == 0
    rules = lab.system.found[f"{MR}/approval_state"]["rules"]
    rules.append({"id": 2, "rule_type": "code_owner", "approved_by": []})
    assert lab.run(system="gitlab") == 1
    rules[:] = [{"id": 3, "rule_type": "regular", "approved_by": [gitlab_user("rita", 2)]}]
    assert lab.run(system="gitlab") == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"sha": OLD}, ExitCode.UNDECIDED),
        ({"sha": OLD, "state": "merged", "merge_commit_sha": HEAD}, 1),
        ({"target_branch": "evil"}, ExitCode.UNDECIDED),
        ({"target_project_id": 6}, ExitCode.UNDECIDED),
        ({"iid": None}, ExitCode.UNDECIDED),
    ],
)
def test_which_merge_request_it_is(lab: Room, changes: dict[str, Any], code: int) -> None:
    """Another head, another branch, another project: nobody counts.

    In the second case the head that was reviewed is older than the last push that is listed.
    """
    lab.system.found[MR].update(changes)
    assert lab.run(system="gitlab") == code


def test_the_merge_that_gitlab_made(lab: Room) -> None:
    """A pipeline for merged results plans a commit that GitLab names and that has the head."""
    env = {**lab.bench.request.env, "GITHUB_SHA": MERGE}
    lab.bench.request = replace(lab.bench.request, env=env)
    assert lab.run(system="gitlab") == ExitCode.UNDECIDED
    lab.system.found[f"{MR}/merge_ref"] = {"commit_id": MERGE}
    lab.system.found[f"{API}/repository/commits/{MERGE}"] = {"parent_ids": [OLD]}
    assert lab.run(system="gitlab") == ExitCode.UNDECIDED
    lab.system.found[f"{API}/repository/commits/{MERGE}"] = {"parent_ids": [OLD, HEAD]}
    assert lab.run(system="gitlab") == 0
