"""``tfgate audit export``: all about one decision, to be verified without tfgate."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from tfgate._version import __version__
from tfgate.audit.decision import evidence_path, find_plan, read_evidence_bytes, read_packed
from tfgate.audit.record import canonical, decode, sha256
from tfgate.audit.scratch import scratch
from tfgate.audit.search import Filters, Hit, Unread, read_lines, search_trail, show
from tfgate.audit.trail_files import log_of, trail_files
from tfgate.command.output import write_err
from tfgate.engine.functions import rule_functions
from tfgate.errors import AuditError, TfgateError
from tfgate.gate.rule_origin import checkout_of, repository_of
from tfgate.gate.rules import READ, RulesPlace, write_tree
from tfgate.gate.trail import Trail, find_trail
from tfgate.git import GitError
from tfgate.opening import read_file
from tfgate.ruleset.loader import inspect_ruleset
from tfgate.trail.command import CONFIG

if TYPE_CHECKING:
    from tfgate.ruleset import Ruleset


_WHAT = {
    "records.jsonl": "every record about the decision, byte by byte as in the trail",
    "chain.jsonl": "the records from the first of them to the checkpoint: what links the two",
    "checkpoint.json": "a statement of how far the trail had come",
    "checkpoint.json.sig": "its SSH signature",
    "allowed_signers": "whose signatures the gate believes",
    "evidence/": "the outcome of every rule on every subject",
    "plan/": "the plan that was evaluated, without its secrets",
    "rulesets/": "the rules that it was evaluated by",
    "verify.py": "a program that checks all of it, and needs Python alone",
    "manifest.json": "the SHA-256 of every file",
}
_PAGE = """\
# Decision {decision_id}

What a gate between Terraform's plan and apply decided, and what proves that nobody has
edited it. Nothing of tfgate is needed to check it.

{what}

## To verify

    python3 verify.py

It computes every hash anew. By hand, for one record (its own hash, then the link):

    sed -n 1p records.jsonl | jq -cSj 'del(.hash)' | sha256sum
    sed -n 1p records.jsonl | jq -r .hash

for the evidence, whose name is the SHA-256 of its content:

    gzip -dc evidence/*/*.json.gz | sha256sum
"""
_CHECKPOINT = """
A chain can be computed anew by whoever can write the whole of it. The checkpoint shows
that this was not done: it is signed, and `verify.py` compares it with the chain. Who
signed it OpenSSH says (take `allowed_signers` from a place that you trust):

    ssh-keygen -Y find-principals -s checkpoint.json.sig -f allowed_signers
    ssh-keygen -Y verify -f allowed_signers -I WHO -n tfgate-checkpoint \\
      -s checkpoint.json.sig < checkpoint.json
"""


def readme(decision_id: str, made: Mapping[str, bytes], missing: Sequence[str]) -> str:
    """Write the page that a bundle brings: what is in it, and how to verify it without tfgate."""
    what = "\n".join(
        f"- `{name}`: {text}"
        for name, text in _WHAT.items()
        if name == "manifest.json" or any(file.startswith(name) for file in made)
    )
    page = _PAGE.format(decision_id=decision_id, what=what)
    if "checkpoint.json" in made:
        page += _CHECKPOINT
    if missing:
        page += "\n## What is missing\n\n" + "".join(f"- {sentence}\n" for sentence in missing)
    return page


def ruleset_files(
    rulesets: Iterable[Mapping[str, Any]], place: RulesPlace | None, made: dict[str, bytes]
) -> tuple[dict[str, str], list[str]]:
    """Put the files of each ruleset into ``made``.

    ``rulesets`` are those of the record, with their digests: nothing else is taken for them. Gives
    the folder of each by digest, and sentences on those that are not to be had.
    """
    places: dict[str, str] = {}
    missing = []
    now = _in_force(place)
    for recorded in rulesets:
        digest, name = str(recorded.get("digest")), str(recorded.get("id"))
        if digest in places or not digest.startswith("sha256:"):
            continue
        folder = f"rulesets/{_plain(name)}-{digest[7:19]}"
        found = _find(recorded, digest, now, place)
        if found is None:
            missing.append(
                f"The ruleset {name} {recorded.get('version')} ({digest}) is not here any more: "
                "its files are to be had where it is kept."
            )
            continue
        made |= {f"{folder}/{path}": data for path, data in found.items()}
        places[digest] = folder
    return places, missing


def _in_force(place: RulesPlace | None) -> tuple[Ruleset, ...]:
    if place is None:
        return ()
    try:
        return place.effective().rulesets
    except TfgateError:
        # Rules that do not load today say nothing of those of the decision.
        return ()


def _find(
    recorded: Mapping[str, Any], digest: str, now: tuple[Ruleset, ...], place: RulesPlace | None
) -> dict[str, bytes] | None:
    for ruleset in now:
        if ruleset.digest == digest and (found := _read(ruleset)) is not None:
            return found
    commit = recorded.get("commit")
    for ruleset in now:
        if place is not None and ruleset.id == recorded.get("id") and isinstance(commit, str):
            return _from_git(ruleset, commit, digest, place)
    return None


def _read(ruleset: Ruleset) -> dict[str, bytes] | None:
    """Read the files of a loaded ruleset, as long as they are what was loaded."""
    folder = ruleset.path if ruleset.path.is_dir() else ruleset.path.parent
    found = {}
    for file in ruleset.files:
        try:
            data = read_file(folder / file.path)
        except OSError:
            return None
        if sha256(data) != file.sha256:
            return None
        found[file.path] = data
    return found


def _from_git(
    ruleset: Ruleset, commit: str, digest: str, place: RulesPlace
) -> dict[str, bytes] | None:
    checkout = checkout_of(ruleset)
    repository = None if checkout is None else repository_of(checkout, place.env)
    if checkout is None or repository is None:
        return None
    inside = Path(os.path.realpath(ruleset.path)).relative_to(checkout.top.resolve())
    with scratch() as folder:
        try:
            tree = repository.tree(commit)
        except GitError:
            return None
        write_tree(repository, tree, folder, lambda path: path.endswith(READ))
        source = str(folder / inside)
        then = inspect_ruleset(source, functions=rule_functions()).ruleset
        return _read(then) if then is not None and then.digest == digest else None


def _plain(name: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in name)[:60]


NEWEST = "last"
"""Stands for the id of the newest decision."""
MAX_CHAIN = 20_000
"""Records between the decision and the checkpoint that are put in."""


class Bundle(NamedTuple):
    """Files by their names, and what is missing."""

    decision_id: str
    files: dict[str, bytes]
    missing: tuple[str, ...]
    """What should be there and could not be had, in sentences."""


def make_bundle(
    trail: Trail, decision_id: str, place: RulesPlace | None, *, chain: bool = True
) -> Bundle:
    """Collect everything about a decision; equal trails give equal bundles.

    ``place`` says where rulesets are looked for. With ``chain``, the records from the decision to
    the next checkpoint are put in whole, other decisions among them: they are what links the two.
    Raises ``AuditError`` where the trail knows no such decision.
    """
    unread = Unread()
    wanted = _newest(trail, unread) if decision_id == NEWEST else decision_id
    shown = show(trail.paths, wanted, unread=unread)
    made: dict[str, bytes] = {}
    missing: list[str] = []
    made["records.jsonl"] = b"".join(hit.record.line + b"\n" for hit in shown.hits)
    missing += _add_evidence(made, shown.hits, trail.evidence)
    if chain:
        missing += _add_chain(made, shown.hits, trail, unread)
    rulesets = [r for hit in shown.hits for r in hit.record.fields.get("rulesets") or ()]
    places, without = ruleset_files(rulesets, place, made)
    missing += [*without, *unread.files]
    if trail.allowed_signers is not None and Path(trail.allowed_signers).is_file():
        made["allowed_signers"] = read_file(trail.allowed_signers)
    made["verify.py"] = (files("tfgate.trail") / "bundle_verify.py").read_bytes()
    made["README.md"] = readme(shown.decision_id, made, missing).encode()
    manifest = _manifest(shown.decision_id, made, places, missing)
    made["manifest.json"] = json.dumps(manifest, indent=2, sort_keys=True).encode() + b"\n"
    return Bundle(shown.decision_id, made, tuple(missing))


def _newest(trail: Trail, unread: Unread) -> str:
    newest = ""
    for hit in search_trail(trail.paths, Filters(event="decision"), unread=unread):
        newest = str(hit.record.fields.get("decision_id"))
    if not newest:
        raise AuditError("There is no decision in this trail yet.")
    return newest


def _manifest(
    decision_id: str, made: dict[str, bytes], places: dict[str, str], missing: Sequence[str]
) -> dict[str, Any]:
    return {
        "v": 1,
        "kind": "tfgate-decision-bundle",
        "tfgate": __version__,
        "decision_id": decision_id,
        "files": {name: sha256(data) for name, data in sorted(made.items())},
        "rulesets": places,
        "missing": list(missing),
    }


def _add_evidence(
    made: dict[str, bytes], hits: Sequence[Hit], directory: str | None
) -> Iterator[str]:
    """Put the evidence in, and the archived plan; say what there is no file of."""
    for hit in hits:
        digest = hit.record.fields.get("evidence_sha256")
        if not isinstance(digest, str):
            continue
        if directory is None:
            yield "The folder of evidence files is not known: name it with --evidence."
            continue
        try:
            read_evidence_bytes(directory, digest)
        except AuditError as error:
            yield error.message
            continue
        made[f"evidence/{digest[:2]}/{digest}.json.gz"] = evidence_path(
            directory, digest
        ).read_bytes()
    for hit in hits:
        archived = hit.record.fields.get("archive_sha256")
        if isinstance(archived, str):
            yield from _add_plan(made, archived, Path(hit.file).parent / "archive")


def _add_plan(made: dict[str, bytes], digest: str, folder: Path) -> Iterator[str]:
    file = find_plan(folder, digest)
    if file is None:
        yield f"The archived plan {digest} is gone: its time was over."
        return
    try:
        made[f"plan/{digest}.json"] = read_packed(file)
    except AuditError as error:
        yield error.message


def _add_chain(
    made: dict[str, bytes], hits: Sequence[Hit], trail: Trail, unread: Unread
) -> Iterator[str]:
    """Put in the records from the first about the decision to the checkpoint that covers all."""
    first, last = hits[0].record.seq, hits[-1].record.seq
    lines: list[bytes] = []
    found: dict[str, Any] | None = None
    for line in _lines_from(hits[0], unread):
        record = _record(line)
        if record is None or (not lines and record.get("seq") != first):
            continue
        lines.append(line)
        if record.get("event") == "checkpoint" and _covers(record, last):
            found = record
            break
        if len(lines) >= MAX_CHAIN:
            break
    made["chain.jsonl"] = b"".join(line + b"\n" for line in lines)
    if found is None:
        yield "No checkpoint after the decision is in the trail: nothing vouches for its end."
        return
    made["checkpoint.json"] = canonical(found["statement"])
    made["checkpoint.json.sig"] = str(found.get("signature")).encode()


def _lines_from(hit: Hit, unread: Unread) -> Iterator[bytes]:
    """Return the lines of the trail from the hit's file on."""
    log = log_of(Path(hit.file))
    following = [file for file in trail_files(log) if file.exists()]
    named = [Path(hit.file)]
    at = following.index(named[0]) if named[0] in following else -1
    for file in following[at:] if at >= 0 else named:
        yield from read_lines(file, unread)


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        record = decode(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) and isinstance(record.get("seq"), int) else None


def _covers(record: dict[str, Any], last: int) -> bool:
    statement = record.get("statement")
    return isinstance(statement, dict) and (statement.get("seq") or -1) >= last


_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_MODE = 0o644


def pack(files: Mapping[str, bytes], name: str, folder: str) -> bytes:
    """Pack ``files`` below ``folder``: as tar.gz where ``name`` ends in .tar.gz or .tgz, else zip.

    Sorted, without times, owners and extra fields.
    """
    if name.endswith((".tar.gz", ".tgz")):
        return gzip.compress(_tar(files, folder), mtime=0)
    return _zip(files, folder)


def _zip(files: Mapping[str, bytes], folder: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{folder}/{name}", _LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = _MODE << 16
            entry.create_system = 3  # Unix, on every system
            archive.writestr(entry, data)
    return buffer.getvalue()


def _tar(files: Mapping[str, bytes], folder: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in sorted(files.items()):
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size, entry.mode = len(data), _MODE
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


@click.command(
    "export", epilog="Example: tfgate audit export --decision 20260131T12 --output bundle.zip"
)
@click.argument("files", nargs=-1, metavar="[FILE|DIR]...")
@click.option(
    "--decision",
    "decision_id",
    required=True,
    metavar="ID",
    help="Id of the decision, which may be shortened, or last.",
)
@click.option(
    "--output", "-o", required=True, metavar="FILE", help="Archive to write: .zip, .tar.gz or .tgz."
)
@click.option(
    "--evidence", metavar="DIR", help="Evidence files (default, without FILE: the trail's own)."
)
@click.option(
    "--without-chain",
    is_flag=True,
    help="Leave out the records between the decision and the next checkpoint: other "
    "decisions are among them, and without them nothing links the two.",
)
@CONFIG
def export(
    files: tuple[str, ...],
    decision_id: str,
    output: str,
    evidence: str | None,
    without_chain: bool,
    config: str | None,
) -> None:
    """Write a bundle: records, evidence, the rulesets as evaluated, a checkpoint, and a program
    that verifies all of it with Python alone.

    Rulesets are taken from where they are now, or from git at the commit on record, if their
    digest is the one on record. The same decision gives the same bytes.
    """
    trail = find_trail(files, cwd=Path.cwd(), env=os.environ, config=config)
    if evidence is not None:
        trail = replace(trail, evidence=evidence)
    place = RulesPlace(Path.cwd(), os.environ, config)
    bundle = make_bundle(trail, decision_id, place, chain=not without_chain)
    data = pack(bundle.files, output, f"tfgate-{bundle.decision_id}")
    try:
        Path(output).write_bytes(data)
    except OSError as error:
        raise TfgateError(f"The bundle {output} cannot be written: {error.strerror}.") from None
    write_err(f"{output}: {len(bundle.files)} files about {bundle.decision_id}.")
    for sentence in bundle.missing:
        write_err(f"tfgate: {sentence}")
