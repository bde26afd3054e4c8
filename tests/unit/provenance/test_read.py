"""Who changed a rule last, and who approved that: read from histories of every kind."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.gitrepo import BOB, RULE, RULESET, Repo
from tfgate.engine.functions import rule_functions
from tfgate.errors import TfgateError
from tfgate.gate.rule_origin import RulesOrigin, require_approved
from tfgate.ruleset import load_gate_config, load_ruleset

if TYPE_CHECKING:
    from pathlib import Path

    from tfgate.provenance.read import LastChange, RulesetProvenance

ENV = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent"}


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository with one approved rule."""
    return Repo(tmp_path / "repo")


def ask(
    repo: Repo, source: str = "policy", kept: Path | None = None, **settings: Any
) -> RulesetProvenance:
    """Return what is known of the ruleset as it is now."""
    config = load_gate_config(
        repo.path, ENV, flags={f"provenance.{k}": v for k, v in settings.items()}
    )
    ruleset = load_ruleset(source, base=repo.path, functions=rule_functions())
    known = RulesOrigin(config, ENV, kept).of(ruleset)
    assert known is not None
    return known


def of_rule(known: RulesetProvenance, rule: str) -> LastChange:
    """Return the last change of a rule."""
    (change,) = [change for change in known.changes if rule in change.rules]
    return change


def refusal(repo: Repo, source: str = "policy", **settings: Any) -> str:
    """Return why the gate refuses the ruleset, ``""`` where it does not."""
    config = load_gate_config(
        repo.path, ENV, flags={f"provenance.{k}": v for k, v in settings.items()}
    )
    ruleset = load_ruleset(source, base=repo.path, functions=rule_functions())
    try:
        require_approved([ruleset], config, ENV)
    except TfgateError as error:
        return f"{error} (exit code {int(error.exit_code)})"
    return ""


def test_a_plain_commit(repo: Repo) -> None:
    """Commit in force, clean tree, author and the approver in the trailer."""
    known = ask(repo)
    head = repo.git("rev-parse", "HEAD")
    assert (known.commit, known.clean, known.branch) == (head, True, "refs/heads/main")
    change = of_rule(known, "A-1")
    assert change.commit == head
    assert change.time == "2026-01-01T00:01:00+00:00"
    assert change.authors == ("Ann <ann@acme.example>",)
    assert change.approvers == ("Bob <bob@acme.example>",)
    assert change.on_branch is True
    assert "policy/ruleset.toml" in change.rules
    assert refusal(repo) == ""


def test_each_rule_has_its_own_last_change(repo: Repo) -> None:
    """A change of one rule is not put down to another."""
    first = repo.git("rev-parse", "HEAD")
    repo.rule("A-2")
    second = repo.commit("Another rule\n\nApproved-by: bob@acme.example")
    known = ask(repo)
    assert of_rule(known, "A-1").commit == first
    assert of_rule(known, "A-2").commit == second
    assert of_rule(known, "A-2").approvers == ("bob@acme.example",)


@pytest.mark.parametrize(
    "trailers",
    [
        "",
        "Reviewed-by: Ann <ann@acme.example>",
        "Reviewed-by: ANN <other@acme.example>",
        "Reviewed-by: Somebody <Ann@ACME.example>",
        "Reviewed-by: A\u200bnn <elsewhere@acme.example>",
        "Reviewed-by: Somebody <ann@acme.example.>",
        "Reviewed-by: Somebody <ann+review@acme.example>",
        "Reviewed-by: Somebody <an\u2060n@acme.example>",
        "Co-authored-by: Bob <bob@acme.example>\nReviewed-by: Bob <bob@acme.example>",
        "They said Reviewed-by: Bob <bob@acme.example>",
        "Reviewed-by: Bob <bob@acme.example>\n\nand that is that",
    ],
)
def test_nobody_but_the_author(repo: Repo, trailers: str) -> None:
    """An author who approves himself, under whatever name, is no approver; prose is no trailer."""
    repo.rule("A-1", "after.tags")
    repo.commit(f"Weaken a rule\n\n{trailers}")
    assert of_rule(ask(repo), "A-1").approvers == ()
    told = refusal(repo)
    assert "nobody but Ann <ann@acme.example>" in told
    assert told.endswith("(exit code 3)")


def test_a_first_line_is_no_trailer(repo: Repo) -> None:
    """A subject that looks like one approves nothing."""
    repo.rule("A-1", "after.tags")
    repo.commit("Reviewed-by: Bob <bob@acme.example>")
    assert of_rule(ask(repo), "A-1").approvers == ()


def test_a_merge_approves_what_it_brings(repo: Repo) -> None:
    """The trailers of the merge count; the author is who wrote the commits."""
    repo.git("checkout", "-q", "-b", "change")
    repo.rule("A-1", "after.tags")
    change = repo.commit("Change the rule")
    repo.git("checkout", "-q", "main")
    merge = repo.merge("change", "Merge\n\nReviewed-by: Carl <carl@acme.example>")
    found = of_rule(ask(repo), "A-1")
    assert (found.commit, found.landed) == (change, merge)
    assert found.authors == ("Ann <ann@acme.example>",)
    assert found.approvers == ("Carl <carl@acme.example>",)


def test_who_approved_one_part_did_not_approve_the_other(repo: Repo) -> None:
    """Of two commits in a merge, an approval of the first does not cover the second."""
    repo.git("checkout", "-q", "-b", "change")
    repo.rule("A-1", "after.tags")
    repo.commit("Change the rule\n\nReviewed-by: Carl <carl@acme.example>")
    repo.rule("A-1", "after")
    repo.commit("Slip another change in", BOB)
    repo.git("checkout", "-q", "main")
    repo.merge("change", "Merge")
    found = of_rule(ask(repo), "A-1")
    assert found.approvers == ()
    assert set(found.authors) == {"Ann <ann@acme.example>", "Bob <bob@acme.example>"}


def test_a_merge_that_changes_the_rule_itself(repo: Repo) -> None:
    """What neither side had is the merger's own change."""
    repo.git("checkout", "-q", "-b", "change")
    repo.rule("A-2")
    repo.commit("Another rule\n\nReviewed-by: Carl <carl@acme.example>")
    repo.git("checkout", "-q", "main")
    repo.git("merge", "-q", "--no-ff", "--no-commit", "change", author=BOB)
    repo.rule("A-1", "after")
    merge = repo.commit("Merge\n\nReviewed-by: Bob <bob@acme.example>", BOB)
    found = of_rule(ask(repo), "A-1")
    assert (found.commit, found.authors) == (merge, ("Bob <bob@acme.example>",))
    assert found.approvers == ()


def test_uncommitted_rules(repo: Repo) -> None:
    """An edit, a new file and a removed file make the tree unclean, and the gate refuse."""
    repo.rule("A-9")
    assert ask(repo).uncommitted == ("policy/rules/a-9.toml",)
    repo.commit("More\n\nReviewed-by: Bob <bob@acme.example>")
    assert ask(repo).clean is True
    repo.rule("A-1", "after")
    assert ask(repo).uncommitted == ("policy/rules/a-1.toml",)
    repo.git("checkout", "-q", "policy")
    (repo.path / "policy/rules/a-9.toml").unlink()
    known = ask(repo)
    assert (known.clean, known.uncommitted) == (False, ("policy/rules/a-9.toml",))
    assert "uncommitted changes in policy/rules/a-9.toml" in refusal(repo)


def test_rules_that_are_not_on_the_branch(repo: Repo) -> None:
    """An approved change on another branch is not in force where main is asked for."""
    repo.git("checkout", "-q", "-b", "change")
    repo.rule("A-2")
    repo.commit("Another\n\nReviewed-by: Bob <bob@acme.example>")
    known = ask(repo)
    assert of_rule(known, "A-1").on_branch is True
    assert of_rule(known, "A-2").on_branch is False
    assert "not on refs/heads/main: A-2" in refusal(repo)
    assert refusal(repo, branch="change") == ""
    assert "no branch release" in refusal(repo, branch="release")


def test_a_state_that_was_never_in_force_on_the_branch(repo: Repo) -> None:
    """A commit inside a merged branch is in main's history, but never was main."""
    repo.git("checkout", "-q", "-b", "change")
    repo.rule("A-1", "after")
    bad = repo.commit("Weaken\n\nReviewed-by: Bob <bob@acme.example>")
    repo.rule("A-1")
    repo.commit("Take it back\n\nReviewed-by: Bob <bob@acme.example>")
    repo.git("checkout", "-q", "main")
    repo.merge("change", "Merge\n\nReviewed-by: Carl <carl@acme.example>")
    repo.git("checkout", "-q", "--detach", bad)
    assert "not on refs/heads/main: A-1" in refusal(repo)


def test_a_branch_into_which_main_was_merged(repo: Repo) -> None:
    """Rules that are as they are on main have their history there, whatever the branch merged."""
    repo.git("checkout", "-q", "-b", "work")
    repo.write("main.tf", "")
    repo.commit("Something else")
    repo.git("checkout", "-q", "main")
    repo.rule("A-1", "after.tags")
    changed = repo.commit("Change\n\nReviewed-by: Bob <bob@acme.example>")
    repo.git("checkout", "-q", "work")
    repo.merge("main", "Bring main in")
    found = of_rule(ask(repo), "A-1")
    assert (found.commit, found.landed, found.on_branch) == (changed, None, True)
    assert refusal(repo) == ""


def test_the_remote_branch_counts(repo: Repo, tmp_path: Path) -> None:
    """Where there is a remote's main, a local one that ran ahead is not what was approved."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(repo.path), str(clone)], check=True)
    local = Repo.__new__(Repo)
    local.path, local.clock = clone, repo.clock
    assert ask(local).branch == "refs/remotes/origin/main"
    local.rule("A-1", "after")
    local.commit("Only here\n\nReviewed-by: Bob <bob@acme.example>")
    assert "not on refs/remotes/origin/main: A-1" in refusal(local)


def test_a_shallow_clone(repo: Repo, tmp_path: Path) -> None:
    """A history that was cut off is not mistaken for one commit that changed everything."""
    repo.write("main.tf", "")
    repo.commit("Something else")
    clone = tmp_path / "clone"
    command = ["git", "clone", "-q", "--depth=1", f"file://{repo.path}", str(clone)]
    subprocess.run(command, check=True)
    local = Repo.__new__(Repo)
    local.path, local.clock = clone, repo.clock
    known = ask(local)
    assert (known.changes, known.clean) == ((), True)
    assert "shallow" in str(known.problem)
    assert "shallow" in refusal(local)


def test_one_file_with_many_rules(repo: Repo) -> None:
    """In a file with several rules each has its own last change."""
    header = RULESET.replace("acme", "single")

    def rules(second: str) -> str:
        one = RULE.format(id="S-1", level="advisory", require="after")
        two = RULE.format(id="S-2", level="advisory", require=second)
        return f"{header}\n[[rules]]\n{one}\n[[rules]]\n{two}"

    repo.write("single.toml", rules("after.a"))
    first = repo.commit("Two rules\n\nReviewed-by: Bob <bob@acme.example>")
    repo.write("single.toml", "# a remark\n" + rules("after.b"))
    second = repo.commit("One of them")
    known = ask(repo, "single.toml")
    assert of_rule(known, "S-1").commit == first
    assert of_rule(known, "S-2").commit == second
    assert of_rule(known, "single.toml").commit == first


def test_the_file_of_the_review_system(repo: Repo, tmp_path: Path) -> None:
    """A line with commit and approver approves; the author does not get in there either."""
    repo.rule("A-1", "after.tags")
    commit = repo.commit("No trailers")
    file = tmp_path / "approvals.jsonl"
    entries = [
        {"commit": commit, "approver": "ann@acme.example"},
        {"commit": commit, "approver": "Dora <dora@acme.example>", "url": "https://x.example/1"},
    ]
    file.write_text("\n".join(map(json.dumps, entries)))
    assert of_rule(ask(repo, approvals=str(file)), "A-1").approvers == ("Dora <dora@acme.example>",)
    assert refusal(repo, approvals=str(file)) == ""
    file.write_text("{}\n")
    assert "line 1 of the approvals" in refusal(repo, approvals=str(file))
    assert "cannot be read" in refusal(repo, approvals=str(tmp_path / "gone"))


def test_a_signed_tag(repo: Repo, tmp_path: Path) -> None:
    """Who signed a tag that has the change in it has approved it, if the allowed signers say so."""
    if shutil.which("ssh-keygen") is None:
        pytest.skip("there is no ssh-keygen on PATH")
    for name in ("key", "other"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)]
        subprocess.run(command, check=True)
    signers = tmp_path / "signers"
    signers.write_text(f"dora@acme.example {(tmp_path / 'key.pub').read_text()}")
    repo.rule("A-1", "after.tags")
    repo.commit("No trailers")
    sign = ["-c", "gpg.format=ssh", "-c", f"user.signingkey={tmp_path / 'other.pub'}"]
    repo.git(*sign, "tag", "-s", "-m", "by somebody", "v1")
    assert of_rule(ask(repo, tag_signers=str(signers)), "A-1").approvers == ()
    sign[-1] = f"user.signingkey={tmp_path / 'key'}"
    repo.git(*sign, "tag", "-s", "-m", "good", "v2")
    known = ask(repo, tag_signers=str(signers))
    assert of_rule(known, "A-1").approvers == ("dora@acme.example",)
    repo.rule("A-1", "after")
    repo.commit("After the tag")
    assert of_rule(ask(repo, tag_signers=str(signers)), "A-1").approvers == ()


def test_answers_are_kept(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing changes no git is run; a commit, an edit or a branch that moves is noticed."""
    kept = tmp_path / "kept"
    known = ask(repo, kept=kept)
    with monkeypatch.context() as without:
        without.setattr(subprocess, "run", lambda *_, **__: pytest.fail("git was run"))
        assert ask(repo, kept=kept) == known
    repo.rule("A-1", "after")
    assert ask(repo, kept=kept).clean is False
    repo.commit("Edit")
    assert of_rule(ask(repo, kept=kept), "A-1").approvers == ()
    repo.git("branch", "-q", "-m", "elsewhere")
    assert ask(repo, kept=kept).branch is None


def test_a_hostile_repository_runs_nothing(repo: Repo, tmp_path: Path) -> None:
    """No program that the repository's configuration, attributes or hooks name is run."""
    mark = tmp_path / "owned"
    program = tmp_path / "evil"
    program.write_text(f"#!/bin/sh\ntouch {mark}\ncat\n")
    program.chmod(0o755)
    for name in (
        "core.fsmonitor", "core.pager", "core.sshCommand", "core.gitProxy", "core.editor",
        "diff.external", "diff.evil.command", "diff.evil.textconv", "filter.evil.clean",
        "filter.evil.smudge", "filter.evil.process", "gpg.program", "gpg.ssh.program",
        "credential.helper", "core.alternateRefsCommand", "uploadpack.packObjectsHook",
        "alias.log", "alias.ls-tree", "interactive.diffFilter", "pager.log", "trailer.x.command",
    ):  # fmt: skip
        value = f"!{program}" if name.startswith("alias") else str(program)
        repo.git("config", name, value)
    for name, value in (
        ("log.showSignature", "true"), ("log.mailmap", "true"), ("log.follow", "true"),
        ("core.hooksPath", str(tmp_path)), ("log.diffMerges", "remerge"), ("color.ui", "always"),
        ("format.pretty", "raw"), ("log.showRoot", "false"), ("diff.renames", "copies"),
    ):  # fmt: skip
        repo.git("config", name, value)
    repo.write(".gitattributes", "* filter=evil diff=evil\n")
    repo.write(".mailmap", "Bob <bob@acme.example> <ann@acme.example>\n")
    (repo.path / ".git" / "hooks").mkdir(exist_ok=True)
    for hook in ("post-checkout", "reference-transaction", "pre-auto-gc"):
        (repo.path / ".git" / "hooks" / hook).write_bytes(program.read_bytes())
        (repo.path / ".git" / "hooks" / hook).chmod(0o755)
    known = ask(repo)
    assert of_rule(known, "A-1").authors == ("Ann <ann@acme.example>",)
    assert of_rule(known, "A-1").approvers == ("Bob <bob@acme.example>",)
    assert not mark.exists()


def test_replaced_objects_do_not_count(repo: Repo) -> None:
    """A replacement reference cannot put an approval into a commit."""
    repo.rule("A-1", "after")
    commit = repo.commit("No approval")
    data = repo.git("cat-file", "commit", commit)
    forged = repo.git("hash-object", "-t", "commit", "-w", "--stdin",
                      text=f"{data}\n\nReviewed-by: Bob <bob@acme.example>\n")  # fmt: skip
    repo.git("replace", commit, forged)
    assert of_rule(ask(repo), "A-1").approvers == ()


def test_names_that_try_to_be_something_else(repo: Repo) -> None:
    """Names of authors with control characters, and files named like commits, are harmless."""
    repo.write("policy/rules/notes.md", "")
    repo.write(f"policy/rules/{'0' * 40}\n:100644.md", "")
    repo.rule("A-1", "after")
    repo.commit("Change\n\nReviewed-by: E\x1b[31mvil\u202e <e@acme.example>")
    found = of_rule(ask(repo), "A-1")
    assert found.approvers == ("E�[31mvil� <e@acme.example>",)


def test_no_checkout(tmp_path: Path) -> None:
    """Nothing is known of rules that are in no checkout, and they are refused where it matters."""
    folder = tmp_path / "policy" / "rules"
    folder.mkdir(parents=True)
    (tmp_path / "policy" / "ruleset.toml").write_text(RULESET)
    (folder / "a.toml").write_text(RULE.format(id="A-1", level="advisory", require="after"))
    config = load_gate_config(tmp_path, ENV)
    ruleset = load_ruleset("policy", base=tmp_path, functions=rule_functions())
    assert RulesOrigin(config, ENV, None).of(ruleset) is None
    with pytest.raises(TfgateError, match="in no git checkout"):
        require_approved([ruleset], config, ENV)
    require_approved([load_ruleset("tfgate:core", functions=rule_functions())], config, ENV)


@pytest.mark.parametrize("helper", ["url", "vcs", "uploadpack"])
def test_a_partial_clone_fetches_nothing(repo: Repo, tmp_path: Path, helper: str) -> None:
    """Where objects are missing, no transport that the repository names is started for them."""
    mark = tmp_path / "owned"
    header = f"{RULESET.replace('acme', 'single')}\n[[rules]]\n"
    for require in ("after", "after.tags"):
        repo.write("single.toml", header + RULE.format(id="S-1", level="advisory", require=require))
        repo.commit("A file with two versions")
    blob = repo.git("rev-parse", "HEAD~1:single.toml")
    file = repo.path / ".git" / "objects" / blob[:2] / blob[2:]
    file.chmod(0o644)
    file.unlink()
    evil = f"touch {mark}"
    for name, value in (
        ("core.repositoryFormatVersion", "1"), ("extensions.partialClone", "evil"),
        ("remote.evil.promisor", "true"), ("protocol.allow", "always"),
        ("remote.evil.url", f"ext::{evil}" if helper == "url" else str(repo.path)),
        ("remote.evil.vcs", "ext") if helper == "vcs" else ("a.b", "c"),
        ("remote.evil.uploadpack", evil) if helper == "uploadpack" else ("a.d", "c"),
    ):  # fmt: skip
        repo.git("config", name, value)
    known = ask(repo, "single.toml")
    assert known.commit is not None
    assert not mark.exists()
