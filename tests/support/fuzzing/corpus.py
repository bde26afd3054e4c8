"""The kept inputs of ``testdata/fuzz``: seeds made by a script, and what once broke a promise."""

from __future__ import annotations

from pathlib import Path

CORPUS = Path(__file__).parents[3] / "testdata" / "fuzz"
SIGNED = CORPUS.with_name("fuzz-signed")
"""An approval, a receipt and a checkpoint that were signed once, by a key that is gone."""
SIGNERS = SIGNED / "allowed_signers"


def inputs_of(target: str) -> list[Path]:
    """Return the kept inputs of a target, by name."""
    return sorted(path for path in (CORPUS / target).glob("*") if path.is_file())


def bytes_of(target: str) -> list[bytes]:
    """Return their content, and nothing at all as one more input."""
    return [b"", *(path.read_bytes() for path in inputs_of(target))]
