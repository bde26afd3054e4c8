"""What a rule and a ruleset are made of, apart from how they are read and evaluated."""

from __future__ import annotations

from typing import Any

import msgspec

from tfgate.model import Word
from tfgate.model.action import WILL_EXIST, Action


class Severity(Word):
    """How bad it is when the rule is broken. Does not decide; the enforcement level does."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Enforcement(Word):
    """What a failure does to the decision. The members are ordered from weak to strong."""

    ADVISORY = "advisory"
    """Reported, never denies."""
    SOFT_MANDATORY = "soft-mandatory"
    """Denies unless an approved override lets it through."""
    HARD_MANDATORY = "hard-mandatory"
    """Denies, and no override helps."""

    @property
    def rank(self) -> int:
        """0 for the weakest."""
        return list(Enforcement).index(self)


class OnUnknown(Word):
    """What an ``unknown`` outcome does to the decision."""

    DENY = "deny"
    VERIFY = "verify"
    """Allow, and record an obligation that is checked after the apply."""
    ALLOW = "allow"


class Scope(Word):
    """What a rule is evaluated on."""

    RESOURCE = "resource"
    OUTPUT = "output"
    PLAN = "plan"
    MODULE = "module"
    PROVIDER = "provider"
    DRIFT = "drift"
    ACTION = "action"
    SOURCE = "source"


class Match(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a rule selects. An empty tuple selects everything; globs are ``*``, ``?``, ``[…]``."""

    types: tuple[str, ...] = ()
    """Globs over the resource type (for ``action`` scope: the action type)."""
    actions: tuple[Action, ...] = WILL_EXIST
    modes: tuple[str, ...] = ("managed",)
    """``managed``, ``data``."""
    modules: tuple[str, ...] = ()
    """Globs over the module address; the root module is the empty string."""
    providers: tuple[str, ...] = ()
    """Globs over the provider's full name or its last part (``aws``)."""
    addresses: tuple[str, ...] = ()
    """Globs over the address; ``[`` in an address is matched by ``[``, not as a character set."""
    names: tuple[str, ...] = ()
    """Globs over the name in the configuration."""
    blocks: tuple[str, ...] = ()
    """Kinds of HCL blocks (scope ``source``)."""

    @property
    def data_types(self) -> tuple[str, ...] | None:
        """Globs of the types of data sources that it may select; None for all, ``()`` for none."""
        if self.modes and "data" not in self.modes:
            return ()
        if self.actions and Action.READ not in self.actions:
            return ()
        return self.types or None


class RuleTest(msgspec.Struct, frozen=True, omit_defaults=True):
    """An example that a rule carries: a subject and the outcome it must have."""

    name: str
    expect: str
    """``pass``, ``fail``, ``unknown``, ``error`` or ``skip`` (not selected by the rule)."""
    subject: dict[str, Any] = {}
    """The table that gives the subject, by scope: ``change``, ``output``, ``plan``, …; or the path
    of a whole plan under ``plan_file``."""
    params: dict[str, Any] = {}
    """Parameter values for this example, by name."""
    context: dict[str, Any] = {}
    """Facts of the run in this example, by name."""
    data: dict[str, Any] = {}
    """Content of data files in this example, by name."""
    message: str | None = None
    """Where given, the message that the (first) finding must have."""


class KnownMutant(msgspec.Struct, frozen=True, omit_defaults=True):
    """A change to a rule that no example can notice, and why that is right."""

    survives: str
    """The change as ``tfgate rules mutate`` names it."""
    reason: str


class Rule(msgspec.Struct, frozen=True, omit_defaults=True):
    """One policy statement, as its file says it."""

    id: str
    title: str
    severity: Severity
    enforcement: Enforcement
    message: str
    """Template of the finding's message, with ``{path}`` placeholders on the redacted subject."""
    scope: Scope = Scope.RESOURCE
    match: Match = Match()
    when: str | None = None
    """Expression that narrows the match: falsy means the rule does not apply."""
    deny: str | None = None
    """Expression that is truthy where the rule is broken; a list gives one finding an element."""
    require: str | None = None
    """Expression that is falsy where the rule is broken. Exactly one of ``deny``/``require``."""
    let: dict[str, str] = {}
    """Named expressions that ``var(name)`` gives, evaluated once per subject when asked for."""
    on_unknown: OnUnknown | None = None
    """As written; ``None`` means the default of the enforcement level in force."""
    remediation: str | None = None
    description: str | None = None
    controls: dict[str, tuple[str, ...]] = {}
    references: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    approvals: int = 1
    """How many people must approve before a failure of it is let through, at least."""
    tests: tuple[RuleTest, ...] = ()
    mutants: tuple[KnownMutant, ...] = ()
    """Changes that its examples need not notice."""
    file: str = ""
    """Path of the file the rule was read from, as a user would write it."""
    line: int | None = None
    """1-based line of the rule's first line in ``file``."""

    @property
    def expression(self) -> str:
        """The expression that decides, whichever of the two it is."""
        return self.deny if self.deny is not None else self.require or ""


def default_on_unknown(enforcement: Enforcement) -> OnUnknown:
    """Return what an unknown outcome does where the rule does not say (design, section 7)."""
    if enforcement is Enforcement.HARD_MANDATORY:
        return OnUnknown.DENY
    return OnUnknown.VERIFY
