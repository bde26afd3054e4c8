"""The page that a bundle brings: what is in it, and how to verify it without tfgate."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_WHAT = {
    "records.jsonl": "every record about the decision, byte by byte as in the trail",
    "chain.jsonl": "the records from the first of them to the checkpoint: what links the two",
    "checkpoint.json": "a statement of how far the trail had come",
    "checkpoint.json.sig": "its SSH signature",
    "allowed_signers": "whose signatures the gate believes",
    "evidence/": "the outcome of every rule on every subject",
    "plan/": "the plan that was judged, without its secrets",
    "rulesets/": "the rules that it was judged by",
    "verify.py": "a program that checks all of it, and needs Python alone",
    "manifest.json": "the SHA-256 of every file",
}


def readme(decision_id: str, made: Mapping[str, bytes], missing: Sequence[str]) -> str:
    """Write the page."""
    return "\n".join(_lines(decision_id, made, missing)) + "\n"


def _lines(decision_id: str, made: Mapping[str, bytes], missing: Sequence[str]) -> Iterator[str]:
    yield f"# Decision {decision_id}"
    yield ""
    yield "What a gate between Terraform's plan and apply decided, and what proves that nobody has"
    yield "edited it. Nothing of tfgate is needed to check it."
    yield ""
    for name, what in _WHAT.items():
        if name == "manifest.json" or any(file.startswith(name) for file in made):
            yield f"- `{name}`: {what}"
    yield from _verify(made)
    if missing:
        yield ""
        yield "## What is missing"
        yield ""
        yield from (f"- {sentence}" for sentence in missing)


def _verify(made: Mapping[str, bytes]) -> Iterator[str]:
    yield ""
    yield "## To verify"
    yield ""
    yield "    python3 verify.py"
    yield ""
    yield "It computes every hash anew. By hand, for one record (its own hash, then the link):"
    yield ""
    yield "    sed -n 1p records.jsonl | jq -cSj 'del(.hash)' | sha256sum"
    yield "    sed -n 1p records.jsonl | jq -r .hash"
    yield ""
    yield "for the evidence, whose name is the SHA-256 of its content:"
    yield ""
    yield "    gzip -dc evidence/*/*.json.gz | sha256sum"
    if "checkpoint.json" not in made:
        return
    yield ""
    yield "A chain can be computed anew by whoever can write the whole of it. The checkpoint shows"
    yield "that this was not done: it is signed, and `verify.py` compares it with the chain. Who"
    yield "signed it OpenSSH says (take `allowed_signers` from a place that you trust):"
    yield ""
    yield "    ssh-keygen -Y find-principals -s checkpoint.json.sig -f allowed_signers"
    yield "    ssh-keygen -Y verify -f allowed_signers -I WHO -n tfgate-checkpoint \\"
    yield "      -s checkpoint.json.sig < checkpoint.json"
