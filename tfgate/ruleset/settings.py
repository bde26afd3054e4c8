"""The single values of the configuration, each with its default, environment variable and origin.

Precedence: defaults, then ``tfgate.toml``, then the environment, then flags.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from tfgate.model import Frozen
from tfgate.model.rule import Enforcement
from tfgate.ruleset.config_tables import CONFIG, Bind, Evaluate
from tfgate.ruleset.problems import Problems
from tfgate.ruleset.strict import INVALID, Boolean, Integer, ListOf, Table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tfgate.ruleset.strict import Kind


class From(str, Enum):
    """Which layer a value comes from, from weak to strong."""

    DEFAULT = "default"
    FILE = "file"
    ENVIRONMENT = "environment"
    FLAG = "flag"


class Origin(Frozen, frozen=True):
    """Where a value comes from."""

    layer: From
    where: str = ""
    """``tfgate.toml:3``, ``TFGATE_EVALUATE``, ``--evaluate``; empty for a default."""

    def __str__(self) -> str:
        return self.where or "default"


class Setting(Frozen, frozen=True):
    """One value that the file, the environment and (where the command has it) a flag can give."""

    table: str
    key: str
    variable: str
    """Environment variable; lists are written with commas, booleans as true or false."""
    default: Any
    is_path: bool = False
    """Whether relative values are relative to where they were written."""

    @property
    def name(self) -> str:
        """``gate.evaluate``."""
        return f"{self.table}.{self.key}"

    @property
    def kind(self) -> Kind:
        """What may stand there."""
        table = CONFIG.keys[self.table].kind
        assert isinstance(table, Table)
        return table.keys[self.key].kind

    @property
    def flag(self) -> str:
        """``--evaluate``: how a flag that gives it is named in messages."""
        return f"--{self.key.replace('_', '-')}"


SETTINGS: Final = (
    Setting("gate", "rulesets", "TFGATE_RULESETS", ("tfgate:core", "tfgate:aws")),
    Setting("gate", "ruleset_signers", "TFGATE_RULESET_SIGNERS", None, is_path=True),
    Setting("gate", "locked", "TFGATE_LOCKED", default=False),
    Setting("gate", "evaluate", "TFGATE_EVALUATE", Evaluate.CHANGES),
    Setting(
        "gate",
        "comment_waivers",
        "TFGATE_COMMENT_WAIVERS",
        (Enforcement.ADVISORY, Enforcement.SOFT_MANDATORY),
    ),
    Setting("gate", "comment_waiver_globs", "TFGATE_COMMENT_WAIVER_GLOBS", default=False),
    Setting("gate", "uncommitted_waivers", "TFGATE_UNCOMMITTED_WAIVERS", default=False),
    Setting("gate", "allow_empty", "TFGATE_ALLOW_EMPTY", default=False),
    Setting("gate", "waiver_files", "TFGATE_WAIVER_FILES", (), is_path=True),
    Setting("gate", "waiver_notice_days", "TFGATE_WAIVER_NOTICE_DAYS", 14),
    Setting("approvals", "allowed_signers", "TFGATE_ALLOWED_SIGNERS", None, is_path=True),
    Setting("approvals", "required", "TFGATE_APPROVALS_REQUIRED", 1),
    Setting("approvals", "bind", "TFGATE_APPROVALS_BIND", Bind.PLAN),
    Setting("approvals", "max_hours", "TFGATE_APPROVALS_MAX_HOURS", 72),
    Setting("receipts", "key", "TFGATE_RECEIPT_KEY", None, is_path=True),
    Setting("receipts", "allowed_signers", "TFGATE_RECEIPT_SIGNERS", None, is_path=True),
    Setting("receipts", "max_hours", "TFGATE_RECEIPT_MAX_HOURS", 24),
    Setting("receipts", "required", "TFGATE_RECEIPT_REQUIRED", default=False),
    Setting("audit", "log", "TFGATE_AUDIT_LOG", None, is_path=True),
    Setting("audit", "archive", "TFGATE_AUDIT_ARCHIVE", default=False),
    Setting("audit", "archive_days", "TFGATE_AUDIT_ARCHIVE_DAYS", None),
    Setting("audit", "evidence", "TFGATE_AUDIT_EVIDENCE", None, is_path=True),
    Setting("audit", "checkpoint_key", "TFGATE_AUDIT_CHECKPOINT_KEY", None, is_path=True),
    Setting("audit", "checkpoint_every", "TFGATE_AUDIT_CHECKPOINT_EVERY", None),
    Setting("audit", "checkpoint_minutes", "TFGATE_AUDIT_CHECKPOINT_MINUTES", None),
    Setting("audit", "allowed_signers", "TFGATE_AUDIT_ALLOWED_SIGNERS", None, is_path=True),
    Setting("audit", "rotate_bytes", "TFGATE_AUDIT_ROTATE_BYTES", None),
    Setting("audit", "rotate_daily", "TFGATE_AUDIT_ROTATE_DAILY", default=False),
    Setting("audit", "require_sink", "TFGATE_AUDIT_REQUIRE_SINK", None),
    Setting("audit", "require_sink_seconds", "TFGATE_AUDIT_REQUIRE_SINK_SECONDS", 30),
    Setting("audit", "sink_seconds", "TFGATE_AUDIT_SINK_SECONDS", 2),
    Setting("provenance", "require_approved_rules", "TFGATE_REQUIRE_APPROVED_RULES", default=False),
    Setting("provenance", "branch", "TFGATE_RULES_BRANCH", "main"),
    Setting("provenance", "approvals", "TFGATE_RULES_APPROVALS", None, is_path=True),
    Setting("provenance", "tag_signers", "TFGATE_RULES_TAG_SIGNERS", None, is_path=True),
)
"""Every single value, in the order that ``tfgate config`` prints."""

BY_NAME: Final = {setting.name: setting for setting in SETTINGS}
_BOOLEANS: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class Value(Frozen, frozen=True):
    """An effective value and where it comes from."""

    value: Any
    origin: Origin
    base: Path
    """Folder that relative paths in it are relative to."""


def read_environment(
    environment: Mapping[str, str], cwd: Path, problems: list[Any]
) -> dict[str, Value]:
    """Read every setting whose variable is set; mistakes are added to ``problems``.

    An empty variable is as good as none, except for a list, which it makes empty.
    """
    values = {}
    for setting in SETTINGS:
        text = environment.get(setting.variable)
        if text is None or (text == "" and not isinstance(setting.kind, ListOf)):
            continue
        found = Problems(setting.variable)
        plain = _from_text(text, setting.kind)
        if plain is None:
            found.add(
                "must be true or false"
                if isinstance(setting.kind, Boolean)
                else "must be a whole number"
            )
        value = INVALID if plain is None else setting.kind.read(plain, (), found)
        problems += found.done()
        if value is not INVALID:
            values[setting.name] = Value(value, Origin(From.ENVIRONMENT, setting.variable), cwd)
    return values


def _from_text(text: str, kind: Kind) -> object:
    """Give what TOML would have given; ``None`` for a text that cannot be it."""
    if isinstance(kind, ListOf):
        return [part.strip() for part in text.split(",") if part.strip()]
    if isinstance(kind, Boolean):
        return _BOOLEANS.get(text.strip().lower())
    if isinstance(kind, Integer):
        return int(text) if text.strip().isdecimal() and len(text) < 20 else None
    return text


def read_flags(flags: Mapping[str, Any], cwd: Path, problems: list[Any]) -> dict[str, Value]:
    """Read values given by flags: setting name (``gate.evaluate``) → plain value.

    ``None`` means that the flag was not given. Raises ``KeyError`` for a name that is no setting.
    """
    values = {}
    for name, given in flags.items():
        setting = BY_NAME[name]
        if given is None:
            continue
        found = Problems(setting.flag)
        plain = list(given) if isinstance(given, tuple) else given
        value = setting.kind.read(plain, (), found)
        problems += found.done()
        if value is not INVALID:
            values[name] = Value(value, Origin(From.FLAG, setting.flag), cwd)
    return values
