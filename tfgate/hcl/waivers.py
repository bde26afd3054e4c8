"""Comments on blocks that silence a rule: our own waivers, and the skips of other tools.

Ours are ``# tfgate:waive RULE reason="…" expires=… owner=…``. For those who come from elsewhere:
``checkov:skip=ID[,ID]:reason`` (also ``bridgecrew:`` and ``cortex:``), ``tfsec:ignore:ID`` and
``trivy:ignore:ID``, the last two with ``:exp:YYYY-MM-DD`` and ``:ws:WORKSPACE``, several to a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from tfgate.hcl.comments import (
    MARKER,
    Complaint,
    Directive,
    ProblemKind,
    Remark,
    read_directives,
    remarks,
)
from tfgate.hcl.index import ModuleNode, SourceIndex
from tfgate.hcl.sources import addresses_of
from tfgate.model.address import Location, join_modules
from tfgate.model.decision import Waiver

MOST: Final = 50_000
"""Waivers of all comments, one a place: a comment in a module that is called a thousand times is a
thousand."""


class WaiverProblem(NamedTuple):
    """A comment that was meant to waive and does not."""

    location: Location
    message: str
    """One sentence, with the fix."""
    kind: ProblemKind


def comment_waivers(index: SourceIndex) -> tuple[list[Waiver], list[WaiverProblem]]:
    """Read every waiver comment of the configuration.

    A waiver's address is the config address of its block, and it covers every instance of it in
    every instance of the modules around it; on a module call the address is ``module.a.*``, for
    the call and everything inside it (`tfgate.model.address.block_covers`). A comment in a module
    that is called from several places is one waiver a place.

    In a module that ``terraform init`` downloaded, nobody here reviewed the comment: it waives
    nothing and is a problem, with the advice to waive on the module call.

    A waiver with anything wrong waives nothing: it is among the problems instead. Whether
    its last day is over, the rule exists, and anything was waived, is for the engine to say.

    Comments that would make more than `MOST` waivers waive nothing; the first is a problem.
    """
    waivers: list[Waiver] = []
    problems: list[WaiverProblem] = []
    is_full = False
    for remark in remarks(index, [MARKER.encode()]):
        for directive in read_directives(remark.text):
            complaints = _complaints(remark, directive)
            problems.extend(_problem(remark, directive, complaint) for complaint in complaints)
            if complaints:
                continue
            if len(waivers) + len(remark.nodes) * len(directive.rules) <= MOST:
                waivers.extend(_waivers(remark, directive))
            elif not is_full:
                is_full = True
                problems.append(_problem(remark, directive, _FULL))
    return waivers, problems


_FULL: Final = Complaint(
    ProblemKind.TOO_MANY,
    f"waives nothing, nor may those after it, since comments make more than {MOST:,} waivers, one "
    "for each module that uses their file: waive on the module calls or in the waiver file",
)


def block_addresses(remark: Remark) -> list[tuple[ModuleNode, str]]:
    """Return the addresses that a comment speaks of: one a module that uses its file."""
    block, address = remark.block, _address(remark)
    if block is None or address is None:
        return []
    suffix = ".*" if block.kind == "module" else ""
    return [(node, join_modules(node.calls, address + suffix)) for node in remark.nodes]


def _address(remark: Remark) -> str | None:
    """Return the address of the comment's block in its module."""
    block = remark.block
    return None if block is None else next(addresses_of(remark.file, block), None)


def _complaints(remark: Remark, directive: Directive) -> list[Complaint]:
    found = list(directive.complaints)
    if _address(remark) is None:
        message = "belongs to no block: put it inside a block or on the line above it"
        found.append(Complaint(ProblemKind.UNATTACHED, message))
    if remark.nodes[0].downloaded:
        message = "stands in a module from elsewhere, which may not waive: waive on the module call"
        found.append(Complaint(ProblemKind.DOWNLOADED, message))
    return found


def _problem(remark: Remark, directive: Directive, complaint: Complaint) -> WaiverProblem:
    place = _place(remark, directive.line, remark.nodes[0])
    return WaiverProblem(place, f"The waiver comment {complaint.message}.", complaint.kind)


def _waivers(remark: Remark, directive: Directive) -> Iterator[Waiver]:
    if directive.expires is None:
        return
    for node, address in block_addresses(remark):
        place = _place(remark, directive.line, node)
        for rule in dict.fromkeys(directive.rules):
            yield Waiver(
                rule=rule,
                address=address,
                reason=directive.values["reason"],
                owner=directive.values["owner"],
                expires=directive.expires,
                ticket=directive.values.get("ticket") or None,
                source=str(place),
                location=place,
                kind="comment",
            )


def _place(remark: Remark, line: int, node: ModuleNode) -> Location:
    comment = remark.comment
    return Location(remark.file.name, comment.line + line, comment.end_line, node.chain)


_NEEDLES = [
    b"checkov:skip=",
    b"bridgecrew:skip=",
    b"cortex:skip=",
    b"tfsec:ignore:",
    b"trivy:ignore:",
]
_SKIP = re.compile(
    r"(?:checkov|bridgecrew|cortex):skip=\s*([A-Za-z0-9_]+(?:,[A-Za-z0-9_]+)*)(?::([^\n]*))?"
)
_IGNORE = re.compile(r"(tfsec|trivy):ignore:([\w*.-]+(?:\[[^\]\n]*\])?)((?::[\w*.-]+)*)")


class ForeignSkip(NamedTuple):
    """One check of another tool that a comment silences on one block."""

    location: Location
    """The comment."""
    address: str | None
    """Config address of its block in one module (``module.a.*`` on a call); None without block."""
    tool: str
    """``checkov``, ``tfsec`` or ``trivy``."""
    id: str
    """As written: ``CKV_AWS_20``, ``aws-s3-enable-bucket-encryption``, ``AVD-AWS-0001``, ``*``."""
    reason: str
    """Empty where the tool has none, or none was given."""
    expires: str | None = None
    """As written after ``:exp:``."""
    workspace: str | None = None
    """As written after ``:ws:``: the tool honours it in that workspace alone."""


def foreign_skips(index: SourceIndex) -> list[ForeignSkip]:
    """List the skip comments of checkov, tfsec and trivy, one entry a check and module."""
    found = []
    for remark in remarks(index, _NEEDLES):
        owners: list[tuple[ModuleNode, str | None]] = [*block_addresses(remark)]
        owners = owners or [(remark.nodes[0], None)]
        for line, tool, check, reason, options in _skips(remark.text):
            for node, address in owners:
                place = _place(remark, line, node)
                until, where = options.get("exp"), options.get("ws")
                found.append(ForeignSkip(place, address, tool, check, reason, until, where))
    return found


def _skips(text: str) -> Iterator[tuple[int, str, str, str, dict[str, str]]]:
    for found in _SKIP.finditer(text):
        line = text.count("\n", 0, found.start())
        for check in found.group(1).split(","):
            yield line, "checkov", check, (found.group(2) or "").strip(), {}
    for found in _IGNORE.finditer(text):
        line = text.count("\n", 0, found.start())
        parts = found.group(3).split(":")[1:]
        options = dict(zip(parts[::2], parts[1::2], strict=False))
        yield line, found.group(1), found.group(2), "", options
