"""Whether a commit, or the tag that names it, is signed by a key of an allowed-signers file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tfgate.ruleset.remote.git import GitFailed

if TYPE_CHECKING:
    from pathlib import Path

    from tfgate.ruleset.remote.git import Git

_GOOD: Final = re.compile(rb'^Good "git" signature for (.+) with [A-Z0-9-]+ key ', re.MULTILINE)
_SIGNED: Final = re.compile(rb"^gpgsig|^-----BEGIN (?:SSH|PGP) ", re.MULTILINE)


class NotSigned(Exception):  # noqa: N818 - carries a sentence to whoever knows the source
    """There is no signature that counts; the text says what there is instead."""


def signer_of(git: Git, commit: str, ref: str, signers: Path) -> str:
    """Give who signed the commit, or the tag ``ref`` on it, as the file ``signers`` names them.

    Raises ``NotSigned``. Only SSH signatures count: an OpenPGP one would be checked with a key ring
    that nobody named.
    """
    if not signers.is_file():
        raise NotSigned(f"there is no allowed-signers file {signers}")
    settings = (
        f"gpg.ssh.allowedSignersFile={signers.absolute()}",
        "gpg.ssh.program=ssh-keygen",
        "gpg.minTrustLevel=fully",
        # Not found wherever it is looked for.
        "gpg.openpgp.program=/nonexistent/openpgp-is-not-accepted",
        "gpg.x509.program=/nonexistent/x509-is-not-accepted",
    )
    tag = f"refs/tags/{ref}"
    signed = False
    for what, name in (("commit", commit), ("tag", tag)):
        if what == "tag" and not _is_tag_on(git, tag, commit):
            continue
        _, said, code = git.attempt(f"verify-{what}", "--raw", name, settings=settings)
        found = _GOOD.search(said)
        if code == 0 and found is not None:
            return found[1].decode("utf-8", "replace")
        signed = signed or _SIGNED.search(git.run("cat-file", what, name)) is not None
    if signed:
        raise NotSigned(f"its signature is of no key in {signers.name}")
    raise NotSigned("neither its commit nor its tag is signed")


def _is_tag_on(git: Git, tag: str, commit: str) -> bool:
    """Whether ``tag`` is a tag object, and on this commit."""
    try:
        if git.run("cat-file", "-t", tag).strip() != b"tag":
            return False
        return git.run("rev-parse", "--verify", f"{tag}^{{commit}}").decode().strip() == commit
    except GitFailed:
        return False
