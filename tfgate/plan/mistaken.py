"""What was handed in by mistake: one sentence that says what it is and what to do."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from tfgate.errors import PlanError, SeveralDocumentsError
from tfgate.model.pattern import late
from tfgate.plan.decoding import part_error, too_deep

SHOW: Final = "Pass the output of `terraform show -json PLANFILE`."
_HEAD: Final = 4096
"""Bytes at the beginning that are looked at."""

_BYTE: Final = late(r"\(byte (\d+)\)$")
_HCL: Final = late(
    # Its parts exclude each other, so that there is one way to read a row of comments.
    rb"(?:\s|#[^\n]*\n|//[^\n]*\n|/\*[^*]*\*+(?:[^/*][^*]*\*+)*/)*"
    rb"(?:terraform|resource|data|provider|variable|output|module|locals|moved|import|check"
    rb"|removed|action|ephemeral)\b[^\n{]*\{",
    re.DOTALL,
)
_HUMAN: Final = late(
    rb"(?:Terraform|OpenTofu) (?:used the selected|will perform|detected|has compared|v\d)"
    rb"|No changes\.|Plan: \d|execution plan|Refreshing state\.\.\."
)
_PAIR: Final = late(rb"\\u[dD][89abAB]..\\u[dD][c-fC-F]..", re.DOTALL)

PARTS: Final = (
    "planned_values",
    "resource_changes",
    "output_changes",
    "resource_drift",
    "deferred_changes",
)
"""A plan has at least one of these; one without changes has ``planned_values`` alone."""


def check_not_binary(data: bytes) -> None:
    """Raise PlanError for a binary plan file."""
    if data.startswith(b"PK\x03\x04"):
        raise PlanError(
            "This is a binary plan file, and plan JSON is expected here.",
            hint="Run `terraform show -json PLANFILE` on it, or pass its path.",
        )


def check_not_empty(text: bytes) -> None:
    """Raise PlanError for an input with nothing in it."""
    if not text or text.isspace():
        raise PlanError("The plan is empty.", hint=f"Nothing was planned, or nothing read. {SHOW}")


def undecodable(text: bytes, error: Exception) -> PlanError:
    """Say what a text is that does not decode as a plan."""
    if isinstance(error, RecursionError):
        return too_deep(None)
    if isinstance(error, msgspec.ValidationError):
        return part_error(error, "")
    head = text[:_HEAD]
    if _is_log(head):
        return PlanError(
            "This is the log that `terraform plan -json` prints, not a plan.", hint=LOG
        )
    if head.lstrip()[:1] not in (b"{", b"["):
        return _other_text(head)
    return _broken_json(text, str(error))


def not_a_plan(keys: frozenset[str]) -> PlanError:
    """Say what a JSON object is that lacks what every plan has."""
    if "@level" in keys and "@message" in keys:
        return PlanError("This is a line of the log of `terraform plan -json`.", hint=LOG)
    if "lineage" in keys or "serial" in keys or "values" in keys:
        return PlanError("This is a state, not a plan.", hint=f"Make a plan. {SHOW}")
    if "provider_schemas" in keys:
        return PlanError("These are provider schemas, not a plan.", hint=SHOW)
    if "format_version" not in keys:
        return PlanError("This JSON is no Terraform plan: it has no format_version.", hint=SHOW)
    return PlanError(
        f"This JSON is no Terraform plan: it has none of {', '.join(PARTS)}.", hint=SHOW
    )


def _is_log(head: bytes) -> bool:
    line = head.lstrip().partition(b"\n")[0]
    return line.startswith(b"{") and b'"@level"' in line and b'"@message"' in line


def _other_text(head: bytes) -> PlanError:
    if _HCL.match(head):
        return PlanError("This is Terraform configuration (HCL), not a plan.", hint=MAKE)
    if _HUMAN.search(head):
        return PlanError("This is the plan as Terraform prints it for people.", hint=MAKE)
    return PlanError("This is no JSON, so it is no plan.", hint=MAKE)


def _broken_json(text: bytes, problem: str) -> PlanError:
    found = _BYTE.search(problem)
    if found is None or "surrogate" in problem or "escape" in problem:
        lone = lone_surrogate(text)
        if lone is not None:
            return PlanError(f"The JSON has half of a surrogate pair at byte {lone}.", hint=AGAIN)
    if found is None:
        return PlanError(f"The plan is cut off: its JSON ends at byte {len(text)}.", hint=AGAIN)
    at = int(found[1])
    if "trailing" in problem:
        at -= 1  # msgspec names the byte after it
        if text[at : at + 1] in (b"{", b"["):
            return SeveralDocumentsError(
                f"There is more than one JSON document, the second from byte {at} on.", hint=ONE
            )
        return PlanError(f"Text follows the plan's JSON, from byte {at} on.", hint=AGAIN)
    word = re.search(rb"-?(?:NaN|Infinity)", text[max(at - 2, 0) : at + 10])
    what = f"{word[0].decode()} is not JSON" if word else "The plan is not valid JSON"
    return PlanError(f"{what} (byte {at}).", hint=AGAIN)


def lone_surrogate(text: bytes) -> int | None:
    """Byte offset of a ``\\ud800``-like escape that has no other half; None if there is none."""
    pairs = {match.start() for match in _PAIR.finditer(text)}
    for match in re.finditer(rb"\\(?:u([dD][89abcdefABCDEF]..)|.)", text, re.DOTALL):
        start = match.start()
        if match[1] is not None and start not in pairs and start - 6 not in pairs:
            return start
    return None


LOG: Final = (
    "Run `terraform plan -out=PLANFILE`, then pass the output of `terraform show -json PLANFILE`."
)
MAKE: Final = LOG
AGAIN: Final = "Make it again with `terraform show -json PLANFILE`, and pass it whole and unedited."
ONE: Final = (
    "Pass one plan at a time: `terragrunt run-all` prints one after the other; split them first."
)
