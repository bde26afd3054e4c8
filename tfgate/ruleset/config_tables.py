"""The keys of ``tfgate.toml``: the one place that declares each.

A single value is a ``Setting`` in the section it stands in: its kind, what it is for, its
environment variable and its default. Everything else follows: typed access
(``config.audit.rotate_bytes``), reading with hints, the JSON Schema, ``tfgate config``.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from tfgate.model.decision import Waiver
from tfgate.model.rule import Enforcement
from tfgate.ruleset.approval_tables import APPROVALS, Approvals
from tfgate.ruleset.files import read_toml
from tfgate.ruleset.rule_tables import ID_PATTERN, NAME_PATTERN
from tfgate.ruleset.settings import PATH, PathSetting, Section, Setting
from tfgate.ruleset.strict import (
    Boolean,
    Choice,
    Date,
    Elsewhere,
    Integer,
    Json,
    Key,
    ListOf,
    MapOf,
    Table,
    Text,
    TextOr,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tfgate.errors import Problem
    from tfgate.ruleset.files import TomlFile


_RULESET_ID: Final = Text("a ruleset id", ID_PATTERN)
_NAME: Final = Text("a name of letters, digits, _ and -", NAME_PATTERN)
_LEVELS: Final = MapOf(
    Choice(
        Enforcement,
        {"off": "advisory", "mandatory": "hard-mandatory", "warn": "advisory"},
    ),
    Text(most=200),
)
_NAME_OR_ID: Final = Text("a name or a ruleset id", f"{NAME_PATTERN}|{ID_PATTERN}")
_PARAMS: Final = MapOf(MapOf(Json(), _NAME), _RULESET_ID)
_SOURCES: Final = ListOf(PATH)


class Evaluate(str, Enum):
    """Which resources rules on what will exist look at."""

    CHANGES = "changes"
    ALL = "all"
    """Unchanged resources too."""

    def __str__(self) -> str:
        return self.value


class OnCommand(str, Enum):
    """What happens to a command that changes something without a plan."""

    RECORD = "record"
    """It runs, and stands in the audit trail."""
    DENY = "deny"

    def __str__(self) -> str:
        return self.value


GOVERNED: Final = {
    "import": "take existing objects into the state",
    "state mv": "rename what is in the state",
    "state rm": "make Terraform forget objects",
    "state push": "replace the whole state",
    "state replace-provider": "change the provider of resources",
    "taint": "have an object replaced by the next apply",
    "untaint": "take that back",
    "refresh": "write what is found outside into the state",
    "force-unlock": "remove the lock of the state",
    "workspace delete": "delete a workspace with its state",
    "workspace new": "make a workspace",
    "workspace select": "choose the workspace of later commands",
    "init": "choose backend and providers: the state may be copied, the lock file written",
    "providers lock": "write the lock file",
    "test": "make infrastructure for a test, and destroy it",
    "login": "keep a token for a host",
    "logout": "forget the token of a host",
    "stacks": "work on stacks of HCP Terraform",
    "rpcapi": "do what a program asks for over RPC",
    "other": "do what tfgate does not know: other commands, and options of known ones",
}
"""Commands of Terraform that change something without a plan to evaluate."""


class Gate(Section, table="gate"):
    """What is evaluated, and by which rulesets."""

    rulesets = Setting[tuple[str, ...]](
        _SOURCES,
        "Rulesets in use: tfgate:NAME (shipped), the path of a folder or a .toml file, "
        "relative to this file, or git::URL//PATH?ref=TAG.",
        "TFGATE_RULESETS",
        default=("tfgate:core", "tfgate:aws"),
    )
    ruleset_signers = PathSetting(
        "OpenSSH allowed-signers file, relative to this file. With it, a ruleset from git is "
        "refused unless its commit or tag is signed by a key in it.",
        "TFGATE_RULESET_SIGNERS",
    )
    locked = Setting(
        Boolean(),
        "Whether a ruleset from git that is not in tfgate.lock is refused. Without it: it is "
        "pinned when it is first used.",
        "TFGATE_LOCKED",
        default=False,
    )
    evaluate = Setting(
        Choice(Evaluate),
        "changes: rules on what will exist look at what the apply makes; all: at unchanged "
        "resources too.",
        "TFGATE_EVALUATE",
        default=Evaluate.CHANGES,
    )
    comment_waivers = Setting[tuple[Enforcement, ...]](
        ListOf(Choice(Enforcement)),
        "Levels that a comment in HCL may waive; [] for none.",
        "TFGATE_COMMENT_WAIVERS",
        default=(Enforcement.ADVISORY, Enforcement.SOFT_MANDATORY),
    )
    comment_waiver_globs = Setting(
        Boolean(),
        "Whether a comment in HCL may name the rules it waives by a glob.",
        "TFGATE_COMMENT_WAIVER_GLOBS",
        default=False,
    )
    uncommitted_waivers = Setting(
        Boolean(),
        "Whether a comment in HCL may waive more than advisory rules where its file is not "
        "known to have been committed before the plan was made.",
        "TFGATE_UNCOMMITTED_WAIVERS",
        default=False,
    )
    allow_empty = Setting(
        Boolean(),
        "Whether a plan on which no rule was evaluated may be allowed.",
        "TFGATE_ALLOW_EMPTY",
        default=False,
    )
    allow = Setting[tuple[str, ...]](
        ListOf(Text()),
        "Rules, by id or glob, that are evaluated although none of the types they match has "
        "anything that they read.",
        "TFGATE_ALLOW",
        default=(),
    )
    require_verified_operator = Setting(
        Boolean(),
        "Whether nothing is decided unless it is proven who asks: by a token of one of "
        "[[identity.issuers]].",
        "TFGATE_REQUIRE_VERIFIED_OPERATOR",
        default=False,
    )
    waiver_files = Setting[tuple[str, ...]](
        ListOf(PATH),
        "Further TOML files with [[waivers]], relative to this file.",
        "TFGATE_WAIVER_FILES",
        default=(),
    )
    waiver_notice_days = Setting(
        Integer(0, 3650),
        "A waiver that ends within this many days is announced.",
        "TFGATE_WAIVER_NOTICE_DAYS",
        default=14,
    )


WAIVER: Final = Table(
    "a waiver",
    {
        "rule": Key(
            Text(most=200, one_line=True),
            "Rule id, or a glob over them.",
            required=True,
            default="",
        ),
        "address": Key(
            Text(most=2_000), "Address, or a glob over them.", required=True, default=""
        ),
        "reason": Key(Text(most=2_000), "Why the exception is right.", required=True, default=""),
        "owner": Key(
            Text(most=200, one_line=True), "Who answers for it.", required=True, default=""
        ),
        "expires": Key(
            Date(), "The last day on which it holds (UTC), as in 2027-01-31.", required=True
        ),
        "ticket": Key(Text(most=500), "Where it was discussed."),
    },
)

WORKSPACE: Final = Table(
    "[[workspace]]",
    {
        "match": Key(
            Text(most=200),
            "Glob over the workspace's name. Of several tables that match, later ones win.",
            required=True,
            default="",
        ),
        "levels": Key(_LEVELS, "As [levels], for these workspaces.", default={}),
        "params": Key(_PARAMS, "As [params], for these workspaces.", default={}),
        "rulesets": Key(
            _SOURCES, "Rulesets used in these workspaces beside those of [gate].", default=()
        ),
        "require_verified_operator": Key(
            Boolean(), "As gate.require_verified_operator, for these workspaces."
        ),
    },
)


class Identity(Section, table="identity"):
    """Who runs the gate, proven."""

    name = Setting[str | None](
        Text("a name of letters, digits and . _ / -", r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}"),
        "Name of this gate: tokens must be made for the audience tfgate:NAME, so that one that "
        "was made for another gate proves nothing here.",
        "TFGATE_IDENTITY_NAME",
        default=None,
    )
    allowed_signers = PathSetting(
        "OpenSSH allowed-signers file of people whose SSH keys prove who runs tfgate at a "
        "terminal, relative to this file.",
        "TFGATE_IDENTITY_SIGNERS",
    )


class Receipts(Section, table="receipts"):
    """Signed statements that carry a decision to another job."""

    key = PathSetting(
        "SSH key that tfgate check --receipt signs with, relative to this file.",
        "TFGATE_RECEIPT_KEY",
    )
    allowed_signers = PathSetting(
        "OpenSSH allowed-signers file of the gates whose receipts are believed.",
        "TFGATE_RECEIPT_SIGNERS",
    )
    max_hours = Setting(
        Integer(1, 8760),
        "How many hours after the check a receipt holds at most.",
        "TFGATE_RECEIPT_MAX_HOURS",
        default=24,
    )
    required = Setting(
        Boolean(), "Whether tfgate apply needs a receipt.", "TFGATE_RECEIPT_REQUIRED", default=False
    )


class Audit(Section, table="audit"):
    """Where the record of decisions is written."""

    log = PathSetting("File of the audit trail; ~ is the home directory.", "TFGATE_AUDIT_LOG")
    archive = Setting(
        Boolean(),
        "Whether the redacted plan is kept with the evidence.",
        "TFGATE_AUDIT_ARCHIVE",
        default=False,
    )
    archive_days = Setting[int | None](
        Integer(1, 36_500),
        "How many days an archived plan is kept. Without it: for ever.",
        "TFGATE_AUDIT_ARCHIVE_DAYS",
        default=None,
    )
    evidence = PathSetting(
        "Folder of evidence files. Without it: evidence/ beside the audit log.",
        "TFGATE_AUDIT_EVIDENCE",
    )
    checkpoint_key = PathSetting(
        "SSH key that checkpoints are signed with. Checkpoints are made without being asked "
        "for where checkpoint_every or checkpoint_minutes says so.",
        "TFGATE_AUDIT_CHECKPOINT_KEY",
    )
    checkpoint_every = Setting[int | None](
        Integer(1, 1_000_000),
        "A checkpoint is made after this many records.",
        "TFGATE_AUDIT_CHECKPOINT_EVERY",
        default=None,
    )
    checkpoint_minutes = Setting[int | None](
        Integer(1, 525_600),
        "A checkpoint is made with the first record that is this many minutes younger than "
        "the last checkpoint.",
        "TFGATE_AUDIT_CHECKPOINT_MINUTES",
        default=None,
    )
    allowed_signers = PathSetting(
        "OpenSSH allowed-signers file of whose checkpoints tfgate audit verify believes.",
        "TFGATE_AUDIT_ALLOWED_SIGNERS",
    )
    rotate_bytes = Setting[int | None](
        Integer(4_096, 1 << 40),
        "A new file is begun when the log has this many bytes.",
        "TFGATE_AUDIT_ROTATE_BYTES",
        default=None,
    )
    rotate_daily = Setting(
        Boolean(),
        "Whether a new file is begun with the first record of a day (UTC).",
        "TFGATE_AUDIT_ROTATE_DAILY",
        default=False,
    )
    require_sink = Setting[str | None](
        _NAME,
        "Sink that must have the record of a decision before the decision allows anything.",
        "TFGATE_AUDIT_REQUIRE_SINK",
        default=None,
    )
    require_sink_seconds = Setting(
        Integer(1, 600),
        "How long that is waited for. After it, the exit code is 3.",
        "TFGATE_AUDIT_REQUIRE_SINK_SECONDS",
        default=30,
    )
    sink_seconds = Setting(
        Integer(0, 60),
        "How long the end of a command waits for sinks that are still being delivered to; 0 "
        "leaves them to tfgate audit deliver.",
        "TFGATE_AUDIT_SINK_SECONDS",
        default=2,
    )


class Provenance(Section, table="provenance"):
    """Who must have approved the rules."""

    require_approved_rules = Setting(
        Boolean(),
        "Whether the gate refuses rules that are uncommitted, not on the branch, or whose last "
        "change nobody but its author has approved.",
        "TFGATE_REQUIRE_APPROVED_RULES",
        default=False,
    )
    branch = Setting(
        Text("a branch", r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}"),
        "Branch that rules must be on: the remote's (origin) where there is one.",
        "TFGATE_RULES_BRANCH",
        default="main",
    )
    approvals = PathSetting(
        "JSON Lines file that the review system writes: a commit and an approver in each line.",
        "TFGATE_RULES_APPROVALS",
    )
    tag_signers = PathSetting(
        "OpenSSH allowed-signers file of whose signed tags approve the rules in them.",
        "TFGATE_RULES_TAG_SIGNERS",
    )


COMMANDS: Final = Table(
    "[commands]",
    {
        name: Key(Choice(OnCommand, {"allow": "record"}), f"{what[0].upper()}{what[1:]}.")
        for name, what in GOVERNED.items()
    },
)

CONFIG: Final = Table(
    "the configuration",
    {
        "gate": Key(Gate.as_table(), "What is judged, and by which rulesets."),
        "params": Key(
            _PARAMS, "Parameter values: [params.<ruleset id>], then name = value.", default={}
        ),
        "levels": Key(
            _LEVELS,
            "Enforcement levels: globs over rule ids, each with a level. Later lines win. A level "
            "is lowered only where the ruleset allows it.",
            default={},
        ),
        "data": Key(
            MapOf(TextOr(PATH, MapOf(PATH, _NAME)), _NAME_OR_ID),
            "Data files: name = path of a .json, .toml or .yaml file, for every ruleset that "
            "declares the name; or in [data.<ruleset id>], for that ruleset alone.",
            default={},
        ),
        "workspace": Key(
            ListOf(WORKSPACE, unique=False), "What differs in some workspaces.", default=()
        ),
        "waivers": Key(ListOf(WAIVER, unique=False), "Reviewed, dated exceptions.", default=()),
        "approvals": Key(APPROVALS, "Who may override soft-mandatory failures, and how."),
        "identity": Key(
            Identity.as_table(
                {
                    "issuers": Key(
                        ListOf(
                            Elsewhere("tfgate.ruleset.issuers", "ISSUER"), unique=False, most=50
                        ),
                        "Whose tokens prove who runs the gate.",
                        default=(),
                    )
                },
                retired={"issuer": "write [[identity.issuers]]"},
            ),
            "Who runs the gate, proven.",
        ),
        "receipts": Key(
            Receipts.as_table(), "Signed statements that carry a decision to another job."
        ),
        "audit": Key(Audit.as_table(), "Where the record of decisions is written."),
        "sinks": Key(
            ListOf(Elsewhere("tfgate.ruleset.sinks", "SINK"), unique=False, most=20),
            "Where records go beside the trail.",
            default=(),
        ),
        "provenance": Key(Provenance.as_table(), "Who must have approved the rules."),
        "commands": Key(
            COMMANDS,
            "Commands that change something without a plan, where they come through tfgate exec or "
            "a shim: record (the default: it runs and is recorded) or deny.",
        ),
    },
    retired={
        "rulesets": "write it below [gate]",
        "evaluate": "write it below [gate]",
        "workspaces": "write [[workspace]]",
        "waiver": "write [[waivers]]",
        "sink": "write [[sinks]]",
    },
)

SECTIONS: Final = (Gate, Approvals, Identity, Receipts, Audit, Provenance)
SETTINGS: Final = tuple(setting for section in SECTIONS for setting in section.settings)
"""Every single value, in the order that ``tfgate config`` prints."""

WAIVER_FILE: Final = Table(
    "a waiver file",
    {"waivers": Key(ListOf(WAIVER, unique=False), "Reviewed, dated exceptions.", default=())},
    retired={"waiver": "write [[waivers]]"},
)


def build_waivers(read: Sequence[dict[str, Any]], file: str) -> tuple[Waiver, ...]:
    """Make waivers of tables that ``WAIVER`` read; incomplete ones, already reported, are left out.

    Whether a waiver holds on the day of a decision is the engine's question, not asked here.
    """
    return tuple(
        Waiver(**table, source=f"{file}: waivers[{number}]")
        for number, table in enumerate(read)
        if all(table[key] for key in ("rule", "address", "reason", "owner", "expires"))
    )


def read_waiver_file(
    path: Path, shown: str, problems: list[Problem]
) -> tuple[TomlFile, tuple[Waiver, ...]]:
    """Read a TOML file with ``[[waivers]]``. Raises ``Unreadable``; mistakes go to ``problems``."""
    file = read_toml(path, shown)
    found = file.problems()
    read = WAIVER_FILE.read(file.table, (), found)
    problems += found.done()
    return file, build_waivers(read["waivers"], shown)
