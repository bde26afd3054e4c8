"""Skip comments of other tools, for those who come from them.

``checkov:skip=ID[,ID]:reason`` (also ``bridgecrew:`` and ``cortex:``), ``tfsec:ignore:ID`` and
``trivy:ignore:ID``, the last two with ``:exp:YYYY-MM-DD`` and ``:ws:WORKSPACE``, several to a line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from tfgate.hcl.comments import remarks
from tfgate.hcl.waivers import block_addresses
from tfgate.model.location import Location

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.hcl.index import ModuleNode, SourceIndex

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
                place = Location(
                    remark.file.name,
                    remark.comment.line + line,
                    remark.comment.end_line,
                    node.chain,
                )
                found.append(
                    ForeignSkip(
                        place, address, tool, check, reason, options.get("exp"), options.get("ws")
                    )
                )
    return found


def _skips(text: str) -> Iterator[tuple[int, str, str, str, dict[str, str]]]:
    for found in _SKIP.finditer(text):
        line = text.count("\n", 0, found.start())
        for check in found.group(1).split(","):
            yield line, "checkov", check, (found.group(2) or "").strip(), {}
    for found in _IGNORE.finditer(text):
        line = text.count("\n", 0, found.start())
        parts = found.group(3).split(":")[1:]
        yield (
            line,
            found.group(1),
            found.group(2),
            "",
            dict(zip(parts[::2], parts[1::2], strict=False)),
        )
