"""Rulesets from git: found, pinned, refused where something is not as it was."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.git_policy import RULE, Policy
from tests.unit.ruleset.conftest import scope_functions
from tfgate.errors import ConfigError
from tfgate.ruleset import for_workspace, load_gate_config
from tfgate.ruleset.remote import cache as tree
from tfgate.ruleset.remote import git as git_module
from tfgate.ruleset.remote.lock import parse_git_source, read_lock
from tfgate.ruleset.remote.remote import Remote

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    """Return a repository whose ruleset has the tag v1."""
    made = Policy(tmp_path / "policy")
    made.tag("v1")
    return made


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    """Return what finds its rulesets, with a cache and a lock of the test's own."""
    return _remote(tmp_path)


def _remote(tmp_path: Path, **more: object) -> Remote:
    env = {**os.environ, "TFGATE_CACHE": str(tmp_path / "cache")}
    return Remote(tmp_path / "tfgate.lock", env, **more)  # type: ignore[arg-type] # by the tests


def _refused(remote: Remote, source: str) -> str:
    with pytest.raises(ConfigError) as caught:
        remote.locate(source)
    return str(caught.value)


def test_first_use_pins_it(policy: Policy, remote: Remote) -> None:
    """Commit and content digest are written down, and that is said."""
    source = policy.source("v1")
    taken = remote.locate(source)
    assert (taken.path / "rules/types.toml").read_text() == RULE
    pins = read_lock(remote.lock)
    assert pins == {source: taken.pin}
    assert pins[source].commit == policy.git("rev-parse", "HEAD")
    assert "pinned" in remote.notes[0]


def test_a_locked_gate_pins_nothing(policy: Policy, tmp_path: Path) -> None:
    """With locked = true a source that nobody looked at is refused, and no lock is written."""
    said = _refused(_remote(tmp_path, locked=True), policy.source("v1"))
    assert "it is not in tfgate.lock" in said
    assert not (tmp_path / "tfgate.lock").exists()


def test_what_is_in_the_cache_needs_no_repository(policy: Policy, remote: Remote) -> None:
    """Offline use: once fetched, a pinned ruleset is read from the cache."""
    source = policy.source("v1")
    before = remote.locate(source)
    shutil.rmtree(policy.path)
    assert remote.locate(source) == before


def test_an_unreachable_repository(policy: Policy, remote: Remote) -> None:
    """A remote that does not answer is said to, with git's own reason."""
    shutil.rmtree(policy.path)
    said = _refused(remote, policy.source("v1"))
    assert "the repository cannot be fetched" in said


def test_a_ref_that_moved(policy: Policy, remote: Remote, tmp_path: Path) -> None:
    """A tag that stands elsewhere by now is refused, and says both commits."""
    source = policy.source("v1")
    first = remote.locate(source).pin.commit
    policy.write("sets/net/rules/types.toml", RULE.replace("soft-mandatory", "advisory"))
    second = policy.commit("weaker")
    policy.tag("v1")
    shutil.rmtree(tmp_path / "cache")
    said = _refused(remote, source)
    assert first[:12] in said
    assert second[:12] in said
    assert "tfgate rules update" in said


def test_a_ref_that_is_missing(policy: Policy, remote: Remote) -> None:
    """Neither tag nor branch: the sentence says so."""
    assert "there is no tag or branch v9 in it" in _refused(remote, policy.source("v9"))


def test_a_commit_that_is_missing(policy: Policy, remote: Remote) -> None:
    """A commit id that nobody has."""
    commit = "1" * 40
    assert f"there is no commit {commit} in it" in _refused(remote, policy.source(commit))


def test_a_commit_needs_no_tag(policy: Policy, remote: Remote) -> None:
    """A full commit id is a ref, whether or not a branch still stands on it."""
    commit = policy.git("rev-parse", "HEAD")
    policy.commit("later")
    assert remote.locate(policy.source(commit)).pin.commit == commit


def test_a_path_that_is_not_there(policy: Policy, remote: Remote) -> None:
    """The folder in the repository is misspelt."""
    assert "there is no sets/nett in it" in _refused(remote, policy.source("v1", "sets/nett"))


def test_a_single_file(policy: Policy, remote: Remote) -> None:
    """The path may be a TOML file."""
    taken = remote.locate(policy.source("v1", "sets/net/ruleset.toml"))
    assert taken.path.name == "ruleset.toml"
    assert taken.path.is_file()


def test_a_symbolic_link(policy: Policy, remote: Remote, tmp_path: Path) -> None:
    """A link could lead out of the ruleset: the tree is refused, and nothing is written."""
    (tmp_path / "secret").write_text("x")
    (policy.path / "sets/net/rules/link.toml").symlink_to(tmp_path / "secret")
    policy.commit("link")
    policy.tag("v1")
    said = _refused(remote, policy.source("v1"))
    assert "sets/net/rules/link.toml is a symbolic link" in said
    assert not list((tmp_path / "cache").rglob("link.toml"))


def test_a_submodule(policy: Policy, remote: Remote) -> None:
    """Another repository inside is not fetched."""
    commit = policy.git("rev-parse", "HEAD")
    policy.git("update-index", "--add", "--cacheinfo", f"160000,{commit},sets/net/other")
    policy.git("commit", "--quiet", "-m", "submodule")
    policy.tag("v1")
    assert "sets/net/other is a submodule" in _refused(remote, policy.source("v1"))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("MAX_FILES", 1, "more than 1 files"),
        ("MAX_FILE_BYTES", 10, "is larger than"),
        ("MAX_BYTES", 10, "more than 0 MiB in all"),
    ],
)
def test_bounds_of_a_tree(
    policy: Policy, remote: Remote, monkeypatch: pytest.MonkeyPatch, name: str, value: int,
    words: str,
) -> None:  # fmt: skip
    """Too many files, or too much in them, is refused before it is read."""
    monkeypatch.setattr(tree, name, value)
    assert words in _refused(remote, policy.source("v1"))


def test_bound_of_a_fetch(policy: Policy, remote: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repository that is too large is given up while it comes in."""
    monkeypatch.setattr(git_module, "MAX_REPOSITORY_BYTES", 0)
    monkeypatch.setattr(git_module.RemoteGit, "tick", 0.001)
    assert "the most that is fetched" in _refused(remote, policy.source("v1"))


def test_a_git_that_hangs(policy: Policy, remote: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    """git does not keep the gate waiting for ever."""
    monkeypatch.setattr(git_module.RemoteGit, "seconds", -1.0)
    monkeypatch.setattr(git_module.RemoteGit, "tick", 0.001)
    assert "git was ended after" in _refused(remote, policy.source("v1"))


def test_files_in_the_cache_that_somebody_changed(policy: Policy, remote: Remote) -> None:
    """The digest is checked at each use; what does not fit is written anew."""
    source = policy.source("v1")
    taken = remote.locate(source)
    (taken.path / "rules/types.toml").write_text(RULE.replace("t3.micro", "m5.24xlarge"))
    (taken.path / "rules/more.toml").write_text("")
    again = remote.locate(source)
    assert again.pin == taken.pin
    assert (again.path / "rules/types.toml").read_text() == RULE
    assert not (again.path / "rules/more.toml").exists()


def test_what_is_pinned_is_what_git_has(policy: Policy, remote: Remote) -> None:
    """A pin is made of the repository's objects, never of what lies about in the cache."""
    source = policy.source("v1")
    taken = remote.locate(source)
    (taken.path / "rules/types.toml").write_text(RULE.replace("t3.micro", "m5.24xlarge"))
    assert remote.newest(source).pin == taken.pin
    assert (taken.path / "rules/types.toml").read_text() == RULE


def test_a_digest_that_somebody_changed(policy: Policy, remote: Remote) -> None:
    """A lock whose digest fits no commit's files is refused."""
    source = policy.source("v1")
    pin = remote.locate(source).pin
    remote.lock.write_text(remote.lock.read_text().replace(pin.digest, f"sha256:{'0' * 64}"))
    said = _refused(remote, source)
    assert "tfgate.lock says sha256:0000" in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("version = 1\n[[rulesets]\n", "tfgate.lock:2: column 11: is not valid TOML"),
        ('version = 1\n[[rulesets]]\nsource = "s"\ncommit = "abc"\n', "is not a full commit id"),
        ('version = 1\n[[rulesets]]\nsource = "s"\ncommit = "abc"\n', "needs the key digest"),
        ("version = 2\n", "must be from 1 to 1"),
        ("version = 1\nrule = 1\n", "unknown key rule"),
        (
            "version = 1\n"
            + f'[[rulesets]]\nsource="s"\ncommit="{"a" * 40}"\ndigest="sha256:{"a" * 64}"\n' * 2,
            "s is locked twice",
        ),
    ],
)
def test_a_lock_edited_by_hand(policy: Policy, remote: Remote, text: str, words: str) -> None:
    """Each mistake has its line, and what to do about it; nothing is fetched."""
    remote.lock.write_text(text)
    said = _refused(remote, policy.source("v1"))
    assert words in said
    assert "written by tfgate alone" in said


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("git::https://git.example/p.git//x", "must say which version it is"),
        ("git::https://git.example/p.git//x?ref=", "must say which version it is"),
        ("git::https://git.example/p.git//x?ref=a&depth=1", "only ref= may stand"),
        ("git::http://git.example/p.git?ref=v1", "is fetched over http"),
        ("git::git://git.example/p.git?ref=v1", "is fetched over git"),
        ("git::ext::sh -c x?ref=v1", "names no repository"),
        ("git::--upload-pack=x?ref=v1", "names no repository"),
        ("git::ssh://-oProxyCommand=x/p.git?ref=v1", "names no host"),
        ("git::https://git.example/p.git//../x?ref=v1", "which is none in a repository"),
        ("git::https://git.example/p.git//-x?ref=v1", "which is none in a repository"),
        ("git::https://git.example/p.git?ref=--all", "which is no name of a tag"),
        ("git::https://git.example/p.git?ref=a..b", "which is no name of a tag"),
        ("git::relative/p.git?ref=v1", "names no repository"),
    ],
)
def test_sources_that_are_no_sources(source: str, words: str) -> None:
    """What git could take for something else is refused before git sees it."""
    with pytest.raises(ConfigError) as caught:
        parse_git_source(source)
    assert words in str(caught.value)


def test_a_password_is_not_repeated() -> None:
    """A source with a password is refused, and the password is not in the sentence."""
    with pytest.raises(ConfigError) as caught:
        parse_git_source("git::https://ann:hunter2@git.example/p.git//x?ref=v1")
    assert "holds a password" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "url", "path", "ref"),
    [
        ("git::https://git.example/p.git//sets/net?ref=v1", "https://git.example/p.git",
         "sets/net", "v1"),
        ("git::ssh://git@git.example:22/p.git?ref=a/b", "ssh://git@git.example:22/p.git", "",
         "a/b"),
        ("git::git@git.example:acme/p.git//x.toml?ref=v1", "git@git.example:acme/p.git", "x.toml",
         "v1"),
        ("git::file:///srv/p.git//x?ref=v1", "file:///srv/p.git", "x", "v1"),
        ("git::/srv/p.git//x?ref=v1", "file:///srv/p.git", "x", "v1"),
    ],
)  # fmt: skip
def test_sources(source: str, url: str, path: str, ref: str) -> None:
    """URL, path and ref are told apart."""
    found = parse_git_source(source)
    assert (found.url, found.path, found.ref) == (url, path, ref)


def test_hooks_and_filters_of_a_repository_do_not_run(
    policy: Policy, remote: Remote, tmp_path: Path
) -> None:
    """Neither its hooks, nor a filter that its attributes name, nor its configuration counts."""
    mark = tmp_path / "ran"
    hook = policy.path / ".git/hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {mark}\n")
    hook.chmod(0o755)
    policy.git("config", "filter.evil.smudge", f"touch {mark}; cat")
    policy.git("config", "uploadpack.packObjectsHook", f"touch {mark}; exec")
    policy.write("sets/net/.gitattributes", "*.toml filter=evil\n")
    policy.commit("attributes")
    policy.tag("v1")
    mark.unlink(missing_ok=True)
    remote.locate(policy.source("v1"))
    assert not mark.exists()


def test_the_environment_that_git_gets() -> None:
    """What points git at another repository, or lets it ask, is not handed on."""
    given = {"PATH": "/bin", "GIT_DIR": "/x", "GIT_ASKPASS": "/x", "LD_PRELOAD": "/x", "HOME": "/h"}
    made = git_module.RemoteGit.environment(given)
    assert made["GIT_ASKPASS"] == ""
    assert made["GIT_TERMINAL_PROMPT"] == "0"
    assert "GIT_DIR" not in made
    assert "LD_PRELOAD" not in made
    assert "BatchMode=yes" in made["GIT_SSH_COMMAND"]


def test_a_server_that_gives_no_single_commits(
    policy: Policy, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then all refs are fetched, and the commit is looked for among them."""
    policy.git("config", "uploadpack.allowAnySHA1InWant", "false")
    commit = policy.git("rev-parse", "HEAD")
    policy.commit("later")
    asked: list[tuple[str, ...]] = []
    real = git_module.RemoteGit.run

    def run(self: git_module.RemoteGit, *arguments: str, **more: object) -> bytes:
        asked.append(arguments)
        if arguments[0] == "fetch" and "--depth=1" in arguments:
            raise git_module.GitError("no")
        return real(self, *arguments, **more)  # type: ignore[arg-type] # handed on as given

    monkeypatch.setattr(git_module.RemoteGit, "run", run)
    assert remote.locate(policy.source(commit)).pin.commit == commit
    assert any("+refs/heads/*:refs/heads/*" in arguments for arguments in asked)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """Return a folder with two SSH keys and an allowed-signers file of the first."""
    folder = tmp_path / "keys"
    folder.mkdir()
    for name in ("ann", "eve"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(command, check=True)
    public = (folder / "ann.pub").read_text()
    (folder / "signers").write_text(f'ann@acme.example namespaces="git" {public}')
    return folder


def _signing(policy: Policy, key: Path) -> None:
    policy.git("config", "gpg.format", "ssh")
    policy.git("config", "user.signingKey", str(key))


def test_a_signed_commit(policy: Policy, keys: Path, tmp_path: Path) -> None:
    """A commit signed by a key of the file is taken."""
    _signing(policy, keys / "ann")
    policy.commit("signed", "-S")
    policy.tag("v2")
    remote = _remote(tmp_path, signers=keys / "signers")
    assert remote.locate(policy.source("v2")).pin.commit == policy.git("rev-parse", "HEAD")


def test_a_signed_tag(policy: Policy, keys: Path, tmp_path: Path) -> None:
    """So is an unsigned commit with a signed tag on it."""
    _signing(policy, keys / "ann")
    policy.tag("v2", "--sign", "-m", "release")
    remote = _remote(tmp_path, signers=keys / "signers")
    assert remote.locate(policy.source("v2")).pin.commit == policy.git("rev-parse", "HEAD")


def test_no_signature(policy: Policy, keys: Path, tmp_path: Path) -> None:
    """Without one the ruleset is refused, and not pinned."""
    remote = _remote(tmp_path, signers=keys / "signers")
    assert "neither its commit nor its tag is signed" in _refused(remote, policy.source("v1"))
    assert not remote.lock.exists()


def test_a_signature_of_somebody_else(policy: Policy, keys: Path, tmp_path: Path) -> None:
    """A key that the file does not name signs for nobody."""
    _signing(policy, keys / "eve")
    policy.commit("signed", "-S")
    policy.tag("v2", "--sign", "-m", "release")
    remote = _remote(tmp_path, signers=keys / "signers")
    assert "its signature is of no key in signers" in _refused(remote, policy.source("v2"))


def test_a_signers_file_that_is_missing(policy: Policy, tmp_path: Path) -> None:
    """It is asked for and is not there: refused."""
    remote = _remote(tmp_path, signers=tmp_path / "none")
    assert "there is no allowed-signers file" in _refused(remote, policy.source("v1"))


def test_the_signature_is_asked_for_at_each_use(policy: Policy, keys: Path, tmp_path: Path) -> None:
    """What was pinned and cached without one is refused once the configuration asks."""
    _remote(tmp_path).locate(policy.source("v1"))
    remote = _remote(tmp_path, signers=keys / "signers")
    assert "neither its commit" in _refused(remote, policy.source("v1"))


def test_the_configuration_names_it(policy: Policy, tmp_path: Path) -> None:
    """The gate loads it by its configuration; the lock is beside that, the commit is known."""
    gate = tmp_path / "gate"
    gate.mkdir()
    (gate / "tfgate.toml").write_text(f'[gate]\nrulesets = ["{policy.source("v1")}"]\n')
    env = {**os.environ, "TFGATE_CACHE": str(tmp_path / "cache")}
    config = load_gate_config(gate, env)
    (ruleset,) = for_workspace(config, "default", functions=scope_functions()).rulesets
    assert ruleset.id == "acme"
    assert ruleset.commit == policy.git("rev-parse", "HEAD")
    assert (gate / "tfgate.lock").exists()
    assert config.notes
