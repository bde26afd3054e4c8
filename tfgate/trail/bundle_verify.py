"""Verify a bundle of a decision. Needs Python 3.8 or newer, and nothing else.

    python verify.py            in the folder of the bundle

It says what it has checked, and ends with 1 where something is not as it was written.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Record = dict[str, Any]


def main() -> int:
    """Check everything in the folder of this file."""
    folder = Path(os.path.realpath(__file__)).parent
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    problems = list(check_files(folder, manifest))
    records = read_records(folder / "records.jsonl", problems)
    chain = read_records(folder / "chain.jsonl", problems)
    problems += check_chain(chain)
    if chain:
        whole = {record["hash"] for record in chain}
        problems += [
            f"record {record['seq']} is not in the chain"
            for record in records
            if record["hash"] not in whole
        ]
    problems += check_evidence(folder, records)
    problems += check_rulesets(folder, manifest, records)
    problems += check_checkpoint(folder, chain)
    for problem in problems:
        say(f"NOT GOOD: {problem}")
    say(f"{len(records)} record(s) about {manifest['decision_id']}, {len(chain)} in their chain.")
    if (folder / "checkpoint.json").exists():
        say("Check who signed the checkpoint: README.md says how.")
    say("Nothing was changed." if not problems else "This bundle is NOT as it was written.")
    return 1 if problems else 0


def say(text: str) -> None:
    """Print one line."""
    sys.stdout.write(text + "\n")


def sha256(data: bytes) -> str:
    """Return the digest in hex."""
    return hashlib.sha256(data).hexdigest()


def check_files(folder: Path, manifest: Record) -> Iterator[str]:
    """Compare every file with the manifest."""
    for name, digest in manifest["files"].items():
        path = folder / name
        if not path.is_file():
            yield f"{name} is missing"
        elif sha256(path.read_bytes()) != digest:
            yield f"{name} was changed"


def read_records(path: Path, problems: list[str]) -> list[Record]:
    """Read records, each against its own hash."""
    records = []
    for line in path.read_bytes().splitlines() if path.exists() else []:
        record = json.loads(line)
        body = {name: value for name, value in record.items() if name != "hash"}
        # RFC 8785 for the values that records hold: no fractions, no integers above 2**53.
        text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        if sha256(text.encode()) != record["hash"]:
            problems.append(f"record {record['seq']} was altered")
        records.append(record)
    return records


def check_chain(chain: list[Record]) -> Iterator[str]:
    """Check that each record is chained to the one before it."""
    for number in range(1, len(chain)):
        before, record = chain[number - 1], chain[number]
        if record["prev"] != before["hash"] or record["seq"] != before["seq"] + 1:
            yield f"record {record['seq']} is not chained to the one before it"


def check_evidence(folder: Path, records: list[Record]) -> Iterator[str]:
    """Check that the evidence is what the record says."""
    for record in records:
        digest = record.get("evidence_sha256")
        path = folder / "evidence" / str(digest)[:2] / f"{digest}.json.gz"
        if digest and path.exists() and sha256(gzip.decompress(path.read_bytes())) != digest:
            yield f"the evidence {digest} was changed"


def check_rulesets(folder: Path, manifest: Record, records: list[Record]) -> Iterator[str]:
    """Check that the rulesets are those that the decision was made under."""
    named = {r["digest"] for record in records for r in record.get("rulesets") or []}
    for digest, place in manifest["rulesets"].items():
        root = folder / place
        files = [path for path in root.rglob("*") if path.is_file()]
        pairs = sorted([p.relative_to(root).as_posix(), sha256(p.read_bytes())] for p in files)
        text = json.dumps(pairs, separators=(",", ":"))
        if f"sha256:{sha256(text.encode())}" != digest:
            yield f"the ruleset in {place} is not the one with the digest {digest}"
        if digest not in named:
            yield f"the ruleset in {place} took no part in the decision"


def check_checkpoint(folder: Path, chain: list[Record]) -> Iterator[str]:
    """Check that the checkpoint vouches for a record of the chain."""
    path = folder / "checkpoint.json"
    if not path.exists():
        return
    statement = json.loads(path.read_bytes())
    if (statement["seq"], statement["hash"]) not in [(r["seq"], r["hash"]) for r in chain]:
        yield "the checkpoint vouches for no record of the chain"


if __name__ == "__main__":
    sys.exit(main())
