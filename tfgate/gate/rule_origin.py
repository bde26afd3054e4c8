"""Where the rules in force come from, as far as their checkouts show."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tfgate.audit.files import make_directory, write_whole
from tfgate.errors import TfgateError
from tfgate.git import Git
from tfgate.opening import open_file
from tfgate.ruleset.sources import GIT_PREFIX, SHIPPED_PREFIX
from tfgate.terraform.gitdir import GitDir, UnreadableError, read_small

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tfgate.provenance.approval import Landings
    from tfgate.provenance.read import RulesetProvenance, Wanted
    from tfgate.ruleset import GateConfig, Ruleset

CACHE_VERSION = 1
MAX_APPROVALS = 64 * 1024 * 1024
"""Bytes of the review system's file."""
_ELSEWHERE = (SHIPPED_PREFIX, GIT_PREFIX)
_HINT = "Have the change reviewed and merged, or take require_approved_rules back."


class RulesOrigin:
    """Looks up where rulesets come from.

    Answers are kept in ``kept`` (where nobody but the gate can write: what stands there is
    believed), by everything that they depend on. Without it each is looked up anew.
    """

    def __init__(self, config: GateConfig, env: Mapping[str, str], kept: Path | None) -> None:
        self._env = env
        self._kept = kept
        self._branch = config.provenance.branch
        self._approvals = config.provenance.approvals
        self._signers = config.provenance.tag_signers

    def of(self, ruleset: Ruleset) -> RulesetProvenance | None:
        """Return what is known of a ruleset; ``None`` for one that is in no checkout.

        A shipped ruleset is known by tfgate's own version, one fetched from git by its commit.
        """
        checkout = checkout_of(ruleset)
        if checkout is None:
            return None
        path = Path(os.path.realpath(ruleset.path))
        place = None if self._kept is None else self._place(ruleset, path, checkout)
        known = None if place is None else _kept(place)
        if known is None:
            known = self._ask(ruleset, path, checkout)
            if place is not None and known.problem is None:
                _keep(place, known)
        return known

    def _place(self, ruleset: Ruleset, path: Path, checkout: GitDir) -> Path | None:
        """Name the file that keeps the answer; ``None`` where it depends on more than is known."""
        head, names = checkout.head(), ("refs/remotes/origin/", "refs/heads/")
        if self._kept is None or head is None or self._signers is not None:
            return None
        try:
            branches = [checkout.commit_of(name + self._branch) for name in names]
            shallow = read_small(checkout.common / "shallow")
        except UnreadableError:
            return None
        parts = [CACHE_VERSION, str(path), ruleset.digest, head, self._branch, branches]
        digests = [_sha256(data) for data in (shallow, self._approval_bytes())]
        text = json.dumps([*parts, *digests]).encode()
        return self._kept / f"{hashlib.sha256(text).hexdigest()}.json"

    def _ask(self, ruleset: Ruleset, path: Path, checkout: GitDir) -> RulesetProvenance:
        from tfgate.provenance.read import RulesetProvenance, read_provenance

        repository = repository_of(checkout, self._env)
        if repository is None:
            return RulesetProvenance(problem="there is no git on PATH")
        return read_provenance(repository, self._wanted(ruleset, path, checkout.top.resolve()))

    def landings(self, repository: Git) -> Landings:
        """Return what looks up authors and approvers of any change. Raises ``GitError``."""
        from tfgate.provenance.approval import Landings

        signer = None if self._signers is None else self._signer
        return Landings(repository, self._approval_bytes(), signer)

    def _wanted(self, ruleset: Ruleset, path: Path, top: Path) -> Wanted:
        from tfgate.provenance.read import RuleFile, Wanted

        folder = path if path.is_dir() else path.parent
        rules = rules_by_file(ruleset)
        files = [
            RuleFile(
                path=(folder / file.path).relative_to(top).as_posix(),
                sha256=file.sha256,
                rules=tuple(rules.get(file.path, ())),
                shared=not file.path.startswith("rules/") and file.path in rules,
            )
            for file in ruleset.files
        ]
        inside = folder.relative_to(top).as_posix()
        return Wanted(
            files=files,
            folder=("" if inside == "." else inside) if path.is_dir() else None,
            branch=self._branch,
            approvals=self._approval_bytes(),
            signer=None if self._signers is None else self._signer,
        )

    def _signer(self, data: bytes, signature: str) -> str | None:
        from tfgate.audit.signing import BadSignatureError, UnknownSignerError, signer_of

        assert self._signers is not None, "nobody asks without them"
        try:
            return signer_of(data, signature, self._signers, namespace="git")
        except (BadSignatureError, UnknownSignerError):
            return None

    def _approval_bytes(self) -> bytes | None:
        if self._approvals is None:
            return None
        try:
            with open_file(self._approvals) as file:
                data = file.read(MAX_APPROVALS + 1)
        except OSError as error:
            raise TfgateError(
                f"The approvals of rules in {self._approvals} cannot be read: {error.strerror}.",
                hint="See provenance.approvals in the configuration.",
            ) from None
        if len(data) > MAX_APPROVALS:
            raise TfgateError(f"The approvals of rules in {self._approvals} are too large.")
        return data


def checkout_of(ruleset: Ruleset) -> GitDir | None:
    """Return the checkout that a ruleset on disk is in; ``None`` for every other ruleset."""
    if ruleset.source.startswith(_ELSEWHERE):
        return None
    path = Path(os.path.realpath(ruleset.path))
    checkout = GitDir.find(path if path.is_dir() else path.parent)
    inside = checkout is not None and checkout.top.resolve() in (path, *path.parents)
    return checkout if inside else None


def repository_of(checkout: GitDir, env: Mapping[str, str]) -> Git | None:
    """Return what asks git about a checkout; ``None`` where there is no git."""
    git = Git(checkout.top, env)
    return None if git.program is None else git


def rules_by_file(ruleset: Ruleset) -> dict[str, list[str]]:
    """Return the ids of the rules in each file, by the file's path in the ruleset."""
    single = not ruleset.path.is_dir()
    found: dict[str, list[str]] = {}
    for compiled in ruleset.rules:
        file = compiled.rule.file
        at = file.rfind("/rules/")
        inside = file[at + 1 :] if at >= 0 and not single else None
        name = ruleset.path.name if single else inside or "ruleset.toml"
        found.setdefault(name, []).append(compiled.id)
    return found


def require_approved(
    rulesets: Iterable[Ruleset], config: GateConfig, env: Mapping[str, str]
) -> None:
    """Refuse rules that are uncommitted, not on the branch, or approved by nobody else.

    Nothing that was kept is believed here. Raises ``TfgateError`` with every reason.
    """
    from tfgate.provenance.read import unapproved

    origin = RulesOrigin(config, env, None)
    branch = config.provenance.branch
    reasons = []
    for ruleset in rulesets:
        if ruleset.source.startswith(SHIPPED_PREFIX):
            continue
        if ruleset.source.startswith(GIT_PREFIX):
            # It was fetched without its history; who signed it has approved it.
            if config.gate.ruleset_signers is None:
                reasons.append(f"{ruleset.id}: it is from git, and gate.ruleset_signers is not set")
            continue
        known = origin.of(ruleset)
        if known is None:
            reasons.append(f"{ruleset.id}: it is in no git checkout")
            continue
        reasons += [f"{ruleset.id}: {reason}" for reason in unapproved(known, branch=branch)]
    if reasons:
        raise TfgateError(
            f"The rules are not approved, so nothing is evaluated by them: {'; '.join(reasons)}.",
            hint=_HINT,
        )


def recorded_origin(known: RulesetProvenance | None) -> dict[str, Any]:
    """Return what a decision record says of where a ruleset comes from."""
    if known is None:
        return {}
    members = msgspec.to_builtins(known)
    return {**members, "commit": known.commit, "approvers": list(known.approvers)}


def _kept(place: Path) -> RulesetProvenance | None:
    try:
        data = read_small(place)
    except UnreadableError:
        return None
    if data is None:
        return None

    from tfgate.provenance.read import RulesetProvenance

    try:
        return msgspec.json.decode(data, type=RulesetProvenance)
    except (msgspec.DecodeError, ValueError):
        return None


def _keep(place: Path, known: RulesetProvenance) -> None:
    """Keep an answer; where that fails it is looked up again next time."""
    try:
        make_directory(place.parent)
        write_whole(place, msgspec.json.encode(known))
    except OSError:
        return


def _sha256(data: bytes | None) -> str | None:
    return None if data is None else hashlib.sha256(data).hexdigest()


def origins(
    rulesets: Sequence[Ruleset], config: GateConfig, env: Mapping[str, str], kept: Path | None
) -> dict[str, RulesetProvenance]:
    """Return what is known of each ruleset that is in a checkout, by id."""
    origin = RulesOrigin(config, env, kept)
    found = ((ruleset.id, origin.of(ruleset)) for ruleset in rulesets)
    return {ruleset_id: known for ruleset_id, known in found if known is not None}
