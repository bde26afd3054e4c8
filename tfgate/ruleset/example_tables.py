"""The tables of the examples that a rule carries."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from tfgate.ruleset.strict import (
    Boolean,
    Choice,
    Integer,
    Json,
    Key,
    ListOf,
    MapOf,
    Schema,
    Table,
    Text,
)

if TYPE_CHECKING:
    from tfgate.ruleset.problems import KeyPath, Problems

_PATH: Final = Text(
    "a path such as arn or ingress[0].cidr_blocks",
    r"(?:[A-Za-z0-9_:/ -]+|\"[^\"]+\")(?:\[\d+\]|\.[A-Za-z0-9_:/ -]+|\.\"[^\"]+\")*",
)
_WORDS: Final = ListOf(Text())


class Expect(str, Enum):
    """Outcome of an example. ``skip``: the rule does not select the subject."""

    PASS = "pass"  # noqa: S105 - an outcome, not a password
    FAIL = "fail"
    UNKNOWN = "unknown"
    ERROR = "error"
    SKIP = "skip"


class _References:
    """What an argument refers to: one reference, or an array of them."""

    _MANY: Final = ListOf(Text(), least=1)

    def read(self, value: object, at: KeyPath, problems: Problems) -> Any:
        return self._MANY.read([value] if isinstance(value, str) else value, at, problems)

    def schema(self) -> Schema:
        return {"oneOf": [Text().schema(), self._MANY.schema()]}


def _paths(what: str) -> Key:
    return Key(ListOf(_PATH), f"Paths below {what}", default=())


_UNKNOWN_DOC = "after (output: the value) that are known only after the apply; TOML cannot say so."
_NULL_DOC = "after (output: the value) that are null; TOML has no null."

_VALUES: Final = {
    "unknown": _paths(_UNKNOWN_DOC),
    "null": _paths(_NULL_DOC),
    "sensitive": _paths("before and after that are sensitive."),
    "before_null": _paths("before that are null."),
}

CHANGE: Final = Table(
    "a change",
    {
        "address": Key(
            Text(), "Address. Without it: made of module_address, type, name and index."
        ),
        "previous_address": Key(Text(), "Address before a move."),
        "module_address": Key(Text(empty=True), "Address of its module; empty for the root."),
        "mode": Key(Text("managed or data", "managed|data"), "managed or data.", default="managed"),
        "type": Key(Text(), "Resource type."),
        "name": Key(Text(), "Name in the configuration.", default="example"),
        "index": Key(Json(), "Key of the instance: a number (count) or a string (for_each)."),
        "provider_name": Key(Text(), "Provider's full name. Without it: made of the type."),
        "deposed": Key(Text(), "Key of a deposed object."),
        "actions": Key(
            _WORDS,
            'The plan\'s list, or one word of tfgate\'s: ["replace"]. Without it: ["create"], '
            '["update"] or ["delete"], by which of before and after are there.',
        ),
        "action_reason": Key(Text(), "Why Terraform chose the action."),
        "replace_paths": Key(ListOf(Json(), unique=False), "Paths that force a replacement."),
        "importing": Key(Json(table=True), 'What is imported, as in { id = "…" }.'),
        "generated_config": Key(Text(), "HCL that Terraform made for an import."),
        "before": Key(Json(table=True), "Attributes before the apply."),
        "after": Key(Json(table=True), "Attributes after it, as far as they are known."),
        "after_unknown": Key(Json(), "As in the plan; unknown = [paths] is shorter."),
        "before_sensitive": Key(Json(), "As in the plan; sensitive = [paths] is shorter."),
        "after_sensitive": Key(Json(), "As in the plan; sensitive = [paths] is shorter."),
        "deferred_reason": Key(
            Text(), "Why Terraform put the change off; makes it a deferred one."
        ),
        "config": Key(Json(table=True), "Its configuration block, as in the plan's configuration."),
        "refers_to": Key(
            MapOf(_References()),
            'Arguments that refer to something: { bucket = "subject" } refers to the subject of '
            "the example, and any other text is a reference as the plan's configuration has it. "
            "One target stands for an expression that only points at it, several for one that may "
            "do anything with them. "
            "A dot leads into a block. An argument that after says nothing of is known after the "
            "apply.",
        ),
        "repeat": Key(
            Integer(1, 100_000), "How many such changes there are, with the indexes 0, 1, …"
        ),
        **_VALUES,
    },
    retired={"action": 'write actions = ["…"]', "values": "write after = {…}"},
)

OUTPUT: Final = Table(
    "an output",
    {
        "name": Key(Text(), "Name of the output.", default="example"),
        "actions": Key(_WORDS, 'The plan\'s list. Without it: ["create"].'),
        "before": Key(Json(), "Value before the apply."),
        "after": Key(Json(), "Value after it, as far as it is known."),
        "after_unknown": Key(Json(), "As in the plan."),
        "before_sensitive": Key(Json(), "As in the plan: true where the output is sensitive."),
        "after_sensitive": Key(Json(), "As in the plan: true where the output is sensitive."),
        "config": Key(Json(table=True), "Its block in the plan's configuration."),
        **_VALUES,
    },
)

PLAN: Final = Table(
    "a plan",
    {
        "complete": Key(Boolean(), "Whether the plan covers everything."),
        "applyable": Key(Boolean(), "Whether there is anything to apply."),
        "errored": Key(Boolean(), "Whether planning failed."),
        "terraform_version": Key(Text(), "Version of Terraform that planned."),
        "format_version": Key(Text(), "Version of the plan format."),
        "timestamp": Key(Text(), "When it was planned, in RFC 3339."),
        "workspace": Key(Text(), "Workspace that is planned."),
        "variables": Key(Json(table=True), "Input variables by name, each with its value."),
        "checks": Key(ListOf(Json(), unique=False), "Results of checks, as in the plan."),
        "deferred": Key(ListOf(CHANGE, unique=False), "Changes that Terraform put off."),
        "drift": Key(ListOf(CHANGE, unique=False), "Changes made outside of Terraform."),
        "outputs": Key(ListOf(OUTPUT, unique=False), "Changes of outputs."),
        "actions": Key(ListOf(Json(table=True), unique=False), "Action invocations."),
    },
    retired={
        "changes": "write [[tests.changes]] beside the plan",
        "counts": "write [[tests.changes]] beside the plan; repeat = 50 makes fifty of one",
        "counts_by_type": "write [[tests.changes]] beside the plan",
    },
)

SOURCE: Final = Table(
    "a source",
    {
        "hcl": Key(Text(empty=True), "Text of main.tf, in native syntax."),
        "files": Key(
            MapOf(Text(empty=True), Text(most=200)),
            "Further files: name, which may lead into directories, and text.",
            default={},
        ),
        "address": Key(
            Text(),
            "Address of the block that the example is about. Without it, every block that the rule "
            "looks at; the worst outcome counts.",
        ),
    },
    retired={"text": "write hcl = …"},
)


class _SourceText:
    """HCL text, short for a table with nothing but it."""

    def read(self, value: object, at: KeyPath, problems: Problems) -> Any:
        return SOURCE.read({"hcl": value} if isinstance(value, str) else value, at, problems)

    def schema(self) -> Schema:
        return {"oneOf": [Text(empty=True).schema(), SOURCE.schema()]}


class _PlanOrFile:
    """A plan's facts, or the path of plan JSON."""

    _PATH: Final = Text(most=1_000, one_line=True)

    def read(self, value: object, at: KeyPath, problems: Problems) -> Any:
        return (self._PATH if isinstance(value, str) else PLAN).read(value, at, problems)

    def schema(self) -> Schema:
        return {"oneOf": [self._PATH.schema(), PLAN.schema()]}


TEST: Final = Table(
    "a test",
    {
        "name": Key(
            Text(most=300), "What the example shows, unique in its rule.", required=True, default=""
        ),
        "expect": Key(
            Choice(Expect), "The outcome it must have.", required=True, default=Expect.PASS
        ),
        "message": Key(
            Text(empty=True), "The message that the (first) finding must have, where it matters."
        ),
        "change": Key(CHANGE, "The subject of a rule of scope resource."),
        "drift": Key(CHANGE, "The subject of a rule of scope drift."),
        "output": Key(OUTPUT, "The subject of a rule of scope output."),
        "plan": Key(
            _PlanOrFile(),
            "The subject of a rule of scope plan, apart from its changes. Or, in any scope but "
            "source, the path of a whole plan (terraform show -json) below the ruleset's folder.",
        ),
        "address": Key(
            Text(),
            "Address of the subject in a whole plan. Without it, every subject that the rule looks "
            "at; the worst outcome counts.",
        ),
        "module": Key(
            Json(table=True),
            "The subject of a rule of scope module: an entry of module_calls, and its name.",
        ),
        "provider": Key(
            Json(table=True),
            "The subject of a rule of scope provider: an entry of provider_config, and its key.",
        ),
        "action": Key(
            Json(table=True),
            "The subject of a rule of scope action: an entry of action_invocations.",
        ),
        "source": Key(
            _SourceText(), "The subject of a rule of scope source: HCL text, or a table."
        ),
        "changes": Key(
            ListOf(CHANGE, unique=False), "Other changes of the plan, for references and counts."
        ),
        "configuration": Key(Json(table=True), "The plan's configuration, for references."),
        "variables": Key(
            Json(table=True), "Input variables of the root module by name, each with its value."
        ),
        "unknown": Key(ListOf(_PATH), "Short for unknown in the subject's own table.", default=()),
        "null": Key(ListOf(_PATH), "Short for null in the subject's own table.", default=()),
        "sensitive": Key(
            ListOf(_PATH), "Short for sensitive in the subject's own table.", default=()
        ),
        "params": Key(Json(table=True), "Parameter values for this example.", default={}),
        "context": Key(Json(table=True), "Facts of the run in this example: $context.", default={}),
        "data": Key(
            Json(table=True),
            "Content of data files by name, for this example: $data.",
            default={},
        ),
        "workspace": Key(Text(), "Workspace of this example."),
    },
)
