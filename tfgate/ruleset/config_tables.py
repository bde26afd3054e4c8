"""The tables of ``tfgate.toml``: every key, what may stand there, and what it is for."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from tfgate.model.decision import Waiver
from tfgate.model.rule import Enforcement
from tfgate.ruleset.files import read_toml
from tfgate.ruleset.rule_tables import ID_PATTERN, NAME_PATTERN
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
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tfgate.errors import Problem
    from tfgate.ruleset.files import TomlFile


_PATH: Final = Text(most=1_000, one_line=True)
_RULESET_ID: Final = Text("a ruleset id", ID_PATTERN)
_NAME: Final = Text("a name of letters, digits, _ and -", NAME_PATTERN)
_LEVELS: Final = MapOf(
    Choice(
        Enforcement,
        {"off": "advisory", "mandatory": "hard-mandatory", "warn": "advisory"},
    ),
    Text(most=200),
)
_PARAMS: Final = MapOf(MapOf(Json(), _NAME), _RULESET_ID)
_SOURCES: Final = ListOf(_PATH)


class Evaluate(str, Enum):
    """Which resources rules on what will exist look at."""

    CHANGES = "changes"
    ALL = "all"
    """Unchanged resources too."""

    def __str__(self) -> str:
        return self.value


class Bind(str, Enum):
    """What an approval is bound to."""

    PLAN = "plan"
    FINDINGS = "findings"
    """Survives a re-plan with no new finding."""

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
    "state replace-provider": "hand objects to another provider",
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
"""Commands of Terraform that change something without a plan that could be judged."""

GATE: Final = Table(
    "[gate]",
    {
        "rulesets": Key(
            _SOURCES,
            "Rulesets in use: tfgate:NAME (shipped), the path of a folder or a .toml file, "
            "relative to this file, or git::URL//PATH?ref=TAG.",
        ),
        "ruleset_signers": Key(
            _PATH,
            "OpenSSH allowed-signers file, relative to this file. With it, a ruleset from git is "
            "refused unless its commit or tag is signed by a key in it.",
        ),
        "locked": Key(
            Boolean(),
            "Whether a ruleset from git that is not in tfgate.lock is refused. Without it: it is "
            "pinned when it is first used.",
        ),
        "evaluate": Key(
            Choice(Evaluate),
            "changes: rules on what will exist look at what the apply makes; all: at unchanged "
            "resources too.",
        ),
        "comment_waivers": Key(
            ListOf(Choice(Enforcement)), "Levels that a comment in HCL may waive; [] for none."
        ),
        "comment_waiver_globs": Key(
            Boolean(), "Whether a comment in HCL may name the rules it waives by a glob."
        ),
        "uncommitted_waivers": Key(
            Boolean(),
            "Whether a comment in HCL may waive more than advisory rules where its file is not "
            "known to have been committed before the plan was made.",
        ),
        "allow_empty": Key(
            Boolean(), "Whether a plan on which no rule was evaluated may be allowed."
        ),
        "waiver_files": Key(
            ListOf(_PATH), "Further TOML files with [[waivers]], relative to this file."
        ),
        "waiver_notice_days": Key(
            Integer(0, 3650), "A waiver that ends within this many days is announced."
        ),
    },
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
    },
)

_PRINCIPALS: Final = ListOf(Text(most=200, one_line=True), least=1)

APPROVAL_NEED: Final = Table(
    "what some rules need",
    {
        "rules": Key(
            ListOf(Text(most=200, one_line=True), least=1),
            "Globs over rule ids.",
            required=True,
            default=(),
        ),
        "workspaces": Key(
            ListOf(Text(most=200), least=1),
            "Globs over the workspace's name. Without it: every workspace.",
            default=("*",),
        ),
        "required": Key(Integer(1, 100), "How many people must approve, at least.", default=1),
        "roles": Key(
            ListOf(_NAME),
            "Roles of [approvals.roles]: of each, one of those who approve must have it.",
            default=(),
        ),
    },
)

APPROVALS: Final = Table(
    "[approvals]",
    {
        "allowed_signers": Key(
            _PATH, "OpenSSH allowed-signers file of who may approve, relative to this file."
        ),
        "required": Key(Integer(1, 100), "How many people must approve."),
        "bind": Key(
            Choice(Bind),
            "What an approval is bound to: one plan, or the findings (survives a re-plan with no "
            "new finding).",
        ),
        "max_hours": Key(
            Integer(1, 8760), "How many hours after it was signed an approval holds at most."
        ),
        "roles": Key(
            MapOf(_PRINCIPALS, _NAME),
            "Roles: name = globs over the principals of the allowed-signers file.",
            default={},
        ),
        "needs": Key(
            ListOf(APPROVAL_NEED, unique=False),
            "What the failures of some rules need beyond that: more people, or people of a role.",
            default=(),
        ),
    },
    retired={"need": "write [[approvals.needs]]", "role": "write [approvals.roles]"},
)

RECEIPTS: Final = Table(
    "[receipts]",
    {
        "key": Key(_PATH, "SSH key that tfgate check --receipt signs with, relative to this file."),
        "allowed_signers": Key(
            _PATH, "OpenSSH allowed-signers file of the gates whose receipts are believed."
        ),
        "max_hours": Key(
            Integer(1, 8760), "How many hours after the check a receipt holds at most."
        ),
        "required": Key(Boolean(), "Whether tfgate apply needs a receipt."),
    },
)

AUDIT: Final = Table(
    "[audit]",
    {
        "log": Key(_PATH, "File of the audit trail; ~ is the home directory."),
        "archive": Key(Boolean(), "Whether the redacted plan is kept with the evidence."),
        "archive_days": Key(
            Integer(1, 36_500), "How many days an archived plan is kept. Without it: for ever."
        ),
        "evidence": Key(
            _PATH, "Folder of evidence files. Without it: evidence/ beside the audit log."
        ),
        "checkpoint_key": Key(
            _PATH,
            "SSH key that checkpoints are signed with. Checkpoints are made without being asked "
            "for where checkpoint_every or checkpoint_minutes says so.",
        ),
        "checkpoint_every": Key(
            Integer(1, 1_000_000), "A checkpoint is made after this many records."
        ),
        "checkpoint_minutes": Key(
            Integer(1, 525_600),
            "A checkpoint is made with the first record that is this many minutes younger than "
            "the last checkpoint.",
        ),
        "allowed_signers": Key(
            _PATH, "OpenSSH allowed-signers file of whose checkpoints tfgate audit verify believes."
        ),
        "rotate_bytes": Key(
            Integer(4_096, 1 << 40), "A new file is begun when the log has this many bytes."
        ),
        "rotate_daily": Key(
            Boolean(), "Whether a new file is begun with the first record of a day (UTC)."
        ),
        "require_sink": Key(
            _NAME,
            "Sink that must have the record of a decision before the decision allows anything.",
        ),
        "require_sink_seconds": Key(
            Integer(1, 600), "How long that is waited for. After it, the exit code is 3."
        ),
        "sink_seconds": Key(
            Integer(0, 60),
            "How long the end of a command waits for sinks that are still being delivered to; 0 "
            "leaves them to tfgate audit deliver.",
        ),
    },
)

PROVENANCE: Final = Table(
    "[provenance]",
    {
        "require_approved_rules": Key(
            Boolean(),
            "Whether the gate refuses rules that are uncommitted, not on the branch, or whose last "
            "change nobody but its author has approved.",
        ),
        "branch": Key(
            Text("a branch", r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}"),
            "Branch that rules must be on: the remote's (origin) where there is one.",
        ),
        "approvals": Key(
            _PATH,
            "JSON Lines file that the review system writes: a commit and an approver in each line.",
        ),
        "tag_signers": Key(
            _PATH,
            "OpenSSH allowed-signers file of whose signed tags approve the rules in them.",
        ),
    },
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
        "gate": Key(GATE, "What is judged, and by which rulesets."),
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
            MapOf(MapOf(_PATH, _NAME), _RULESET_ID),
            "Data files: [data.<ruleset id>], then name = path of a .json or .toml file.",
            default={},
        ),
        "workspace": Key(
            ListOf(WORKSPACE, unique=False), "What differs in some workspaces.", default=()
        ),
        "waivers": Key(ListOf(WAIVER, unique=False), "Reviewed, dated exceptions.", default=()),
        "approvals": Key(APPROVALS, "Who may override soft-mandatory failures, and how."),
        "receipts": Key(RECEIPTS, "Signed statements that carry a decision to another job."),
        "audit": Key(AUDIT, "Where the record of decisions is written."),
        "sinks": Key(
            ListOf(Elsewhere("tfgate.ruleset.sinks", "SINK"), unique=False, most=20),
            "Where records go beside the trail.",
            default=(),
        ),
        "provenance": Key(PROVENANCE, "Who must have approved the rules."),
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

WAIVER_FILE: Final = Table(
    "a waiver file",
    {"waivers": Key(ListOf(WAIVER, unique=False), "Reviewed, dated exceptions.", default=())},
    retired={"waiver": "write [[waivers]]"},
)


# --- Waivers that are kept in ``tfgate.toml`` and in waiver files.


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
