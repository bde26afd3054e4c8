"""``[approvals]``: who may let something through that a rule denies, and how that is proven."""

from __future__ import annotations

from enum import Enum
from typing import Final

from tfgate.ruleset.rule_tables import NAME_PATTERN
from tfgate.ruleset.settings import PathSetting, Section, Setting
from tfgate.ruleset.strict import Boolean, Choice, Integer, Key, ListOf, MapOf, Table, Text

_NAME: Final = Text("a name of letters, digits, _ and -", NAME_PATTERN)


class Bind(str, Enum):
    """What an approval is bound to."""

    PLAN = "plan"
    FINDINGS = "findings"
    """Survives a re-plan with no new finding."""

    def __str__(self) -> str:
        return self.value


_GLOBS: Final = ListOf(Text(most=200, one_line=True), least=1)

APPROVAL_NEED: Final = Table(
    "what some rules need",
    {
        "rules": Key(
            _GLOBS,
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


def _reviews(site: str, team: str) -> Table:
    """Return the table of a system whose reviews count as approvals."""
    return Table(
        "a table of reviews that count",
        {
            "url": Key(
                Text("an https address without a path", r"https://[A-Za-z0-9.\-]+(:[0-9]{1,5})?"),
                f"Address of the system; default: {site}.",
                default=site,
            ),
            "repositories": Key(
                _GLOBS,
                "Globs over the repositories whose reviews count, as in acme/infra-*.",
                required=True,
                default=(),
            ),
            "branches": Key(
                _GLOBS,
                "Globs over the branches that the change must go to; default: the repository's "
                "default branch.",
            ),
            "teams": Key(_GLOBS, f"Whose reviews count: {team}. Without globs.", default=()),
            "code_owners": Key(
                Boolean(),
                "Whether the reviews of code owners count, as the branch names them that the "
                "change goes to.",
                default=False,
            ),
        },
    )


BREAK_GLASS: Final = Table(
    "[approvals.break_glass]",
    {
        "approvers": Key(
            _GLOBS,
            "Who may break the glass: globs over principals, team:NAME and role:NAME. Two of "
            "them must sign, and one of the two must be neither operator nor author.",
            required=True,
            default=(),
        ),
        "rules": Key(
            _GLOBS,
            "Globs over the hard-mandatory rules that two of them may let through.",
            required=True,
            default=(),
        ),
        "max_hours": Key(
            Integer(1, 72),
            "How many hours after it was signed such an approval holds at most.",
            default=4,
        ),
    },
)


class Approvals(Section, table="approvals"):
    """Who may override soft-mandatory failures, and how."""

    allowed_signers = PathSetting(
        "OpenSSH allowed-signers file of who may approve, relative to this file.",
        "TFGATE_ALLOWED_SIGNERS",
    )
    servers = PathSetting(
        "OpenSSH allowed-signers file of the servers that sign approvals for people who have "
        "proven to them who they are, relative to this file.",
        "TFGATE_APPROVAL_SERVERS",
    )
    required = Setting(
        Integer(1, 100), "How many people must approve.", "TFGATE_APPROVALS_REQUIRED", default=1
    )
    bind = Setting(
        Choice(Bind),
        "What an approval is bound to: one plan, or the findings (survives a re-plan with no "
        "new finding).",
        "TFGATE_APPROVALS_BIND",
        default=Bind.PLAN,
    )
    max_hours = Setting(
        Integer(1, 8760),
        "How many hours after it was signed an approval holds at most.",
        "TFGATE_APPROVALS_MAX_HOURS",
        default=72,
    )


APPROVALS: Final = Approvals.as_table(
    {
        "roles": Key(
            MapOf(_GLOBS, _NAME),
            "Roles: name = globs over the principals of the allowed-signers file, or team:NAME "
            "for a team whose reviews count. An approval by a server brings the roles that the "
            "server knows.",
            default={},
        ),
        "github": Key(
            _reviews("https://github.com", "ORGANISATION/TEAM"),
            "Reviews on GitHub that count as approvals.",
        ),
        "gitlab": Key(
            _reviews("https://gitlab.com", "the path of a group"),
            "Approvals of merge requests on GitLab that count.",
        ),
        "break_glass": Key(
            BREAK_GLASS, "Who may let hard-mandatory failures through. Without it: nobody."
        ),
        "needs": Key(
            ListOf(APPROVAL_NEED, unique=False),
            "What the failures of some rules need beyond that: more people, or people of a role.",
            default=(),
        ),
    },
    retired={"need": "write [[approvals.needs]]", "role": "write [approvals.roles]"},
)
