"""What ``tfgate review`` shows: a plan as a person reads it, with the findings beside the changes.

Plain values, already redacted: where a plan has a secret there is only `Form.SENSITIVE`. Texts are
as the plan has them; whoever renders them makes them harmless for where they are shown.
"""

from __future__ import annotations

import msgspec

from tfgate.model import Word
from tfgate.model.action import Action
from tfgate.model.address import Location
from tfgate.model.decision import Decision, Outcome
from tfgate.model.rule import Rule


class Mark(Word):
    """What becomes of one part of a value."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    SAME = "same"
    """Shown for context only: mostly, what stays the same is counted and left out."""


class Form(Word):
    """What kind of thing stands for a value."""

    LITERAL = "literal"
    """Compact JSON in ``text``: numbers, ``true``, ``null``, quoted strings, lists, objects."""
    UNKNOWN = "unknown"
    """Known after the apply."""
    SENSITIVE = "sensitive"
    """There, and not to be shown: neither value nor length nor keys."""


class Shown(msgspec.Struct, frozen=True, omit_defaults=True):
    """One side of a difference."""

    form: Form = Form.LITERAL
    text: str = ""
    """JSON text of a literal; a string has its quotes."""


class Shape(Word):
    """How a difference is laid out."""

    LEAF = "leaf"
    """``before`` and ``after``."""
    OBJECT = "object"
    """``members``, by name."""
    LIST = "list"
    """``members``, by number or by content."""
    JSON = "json"
    """``members`` of a document that is written in a string (an IAM policy)."""
    LINES = "lines"
    """``lines`` of a text."""


class Line(msgspec.Struct, frozen=True):
    """One line of a text's difference."""

    mark: Mark
    text: str
    """Without its line end. Of lines left out, the sentence that says how many."""
    skipped: bool = False


class Diff(msgspec.Struct, frozen=True, omit_defaults=True):
    """How one part of a value differs between before and after."""

    label: str
    """Name of an attribute, or an element by its number or name: ``[3]``, ``[Sid "Read"]``."""
    mark: Mark
    shape: Shape = Shape.LEAF
    before: Shown | None = None
    """``None`` where there was nothing."""
    after: Shown | None = None
    """``None`` where there will be nothing."""
    members: tuple[Diff, ...] = ()
    lines: tuple[Line, ...] = ()
    same: int = 0
    """Members that stay as they are and are left out."""
    forces: bool = False
    """Whether this forces the replacement."""
    note: str = ""
    """A few words of ours: ``order changed``."""
    refers: str = ""
    """Where a value known after the apply comes from: ``aws_vpc.main.id``."""


class ChangeKind(Word):
    """Which list of the plan an entry is from."""

    CHANGE = "change"
    DRIFT = "drift"
    DEFERRED = "deferred"
    OUTPUT = "output"
    INVOCATION = "invocation"


class ReviewedChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """One change, as it is reviewed."""

    kind: ChangeKind
    address: str
    action: Action | None
    type: str = ""
    mode: str = "managed"
    module: str = ""
    """Address of the module instance; ``""`` is the root module."""
    deposed: str | None = None
    create_first: bool = False
    """Of a replacement: whether the new object is made before the old one goes."""
    forgets: bool = False
    """Of a replacement: whether the old object is left behind instead of destroyed."""
    reasons: tuple[str, ...] = ()
    """Why Terraform does this, in sentences."""
    facts: tuple[tuple[str, str], ...] = ()
    """Moved from, imported, id: a name of ours and a text of the plan."""
    diffs: tuple[Diff, ...] = ()
    """One for each top-level attribute that differs, or that a created or deleted object has."""
    same: int = 0
    """Attributes that stay as they are and are left out."""
    computed: tuple[str, ...] = ()
    """Attributes of a new object that are known after the apply and no argument sets."""
    dropped: tuple[Diff, ...] = ()
    """Of a replacement: what the old object has, no argument sets, and a provider decides anew."""
    blank: tuple[str, ...] = ()
    """Attributes that only go between null and empty (``""``, ``[]``, ``{}``)."""
    location: Location | None = None
    findings: tuple[Outcome, ...] = ()


class ModuleGroup(msgspec.Struct, frozen=True):
    """The changes of one module instance, what destroys first."""

    module: str
    changes: tuple[ReviewedChange, ...]


class TypeCount(msgspec.Struct, frozen=True):
    """Changes of one resource type."""

    type: str
    counts: tuple[tuple[Action, int], ...]
    """Without what does not change anything."""


class Radius(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far the apply reaches. Managed resources alone, unless it says otherwise."""

    counts: tuple[tuple[Action, int], ...] = ()
    """Every action that occurs, data sources (``read``) and unchanged (``no-op``) included."""
    types: tuple[TypeCount, ...] = ()
    """The types most affected first."""
    existing: int = 0
    """Objects that exist before the apply."""
    touched: int = 0
    """How many of them are updated, replaced, destroyed or forgotten."""
    lost: int = 0
    """How many of them are destroyed, the replaced ones included."""
    modules: int = 0
    """Module instances with a change in them, the root module included."""
    imported: int = 0
    moved: int = 0
    drifted: int = 0
    deferred: int = 0


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a review shows."""

    decision: Decision
    plan_name: str
    radius: Radius
    groups: tuple[ModuleGroup, ...] = ()
    outputs: tuple[ReviewedChange, ...] = ()
    drift: tuple[ReviewedChange, ...] = ()
    deferred: tuple[ReviewedChange, ...] = ()
    invocations: tuple[ReviewedChange, ...] = ()
    findings: tuple[Outcome, ...] = ()
    """Those that belong to no change: on the plan, a module, a provider."""
    rules: dict[str, Rule] = {}
    """The rules that found something, by id."""
    total: int = 0
    """Changes of the plan before filters, unchanged resources left out."""
    filters: tuple[str, ...] = ()
    """The filters that were asked for, as they were written."""

    @property
    def changes(self) -> tuple[ReviewedChange, ...]:
        """Every change that is shown, in the order in which it is shown."""
        return tuple(change for group in self.groups for change in group.changes)
