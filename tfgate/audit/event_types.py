"""Shapes of members of records that nothing but the table of events needs."""

from __future__ import annotations

import msgspec

from tfgate.model.decision import RulesetFacts


class Approvals(msgspec.Struct, frozen=True, omit_defaults=True):
    """The change that one or more rules had last."""

    commit: str
    time: str
    authors: tuple[str, ...]
    approvers: tuple[str, ...] = ()
    landed: str | None = None
    rules: tuple[str, ...] = ()
    on_branch: bool | None = None


class RecordedRuleset(RulesetFacts, frozen=True, omit_defaults=True):
    """A ruleset as it was evaluated, and where it comes from."""

    clean: bool | None = None
    uncommitted: tuple[str, ...] = ()
    branch: str | None = None
    changes: tuple[Approvals, ...] = ()
    problem: str | None = None
    approvers: tuple[str, ...] = ()


class RecordedFile(msgspec.Struct, frozen=True):
    """A file of the configuration."""

    file: str
    sha256: str


class RecordedData(msgspec.Struct, frozen=True):
    """A data file of a ruleset."""

    ruleset: str
    name: str
    sha256: str


class Approved(msgspec.Struct, frozen=True):
    """A finding that an approval let through."""

    rule: str
    address: str
    fingerprint: str


class Program(msgspec.Struct, frozen=True):
    """Which Terraform ran."""

    kind: str
    command: str
    version: str | None


class MadeByPlan(msgspec.Struct, frozen=True, tag_field="reported_by", tag="plan"):
    """Changes as far as the plan and the exit code tell."""

    planned: dict[str, int]
    complete: bool


class MadeByTerraform(msgspec.Struct, frozen=True, tag_field="reported_by", tag="terraform"):
    """Changes as Terraform reported them."""

    summary: dict[str, int | str] | None
    applied: list[dict[str, str]]
    failed: list[dict[str, str]]
    left_out: int
