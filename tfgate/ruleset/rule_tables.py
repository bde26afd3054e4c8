"""The tables of the ruleset format: every key, what may stand there, and what it is for."""

from __future__ import annotations

from enum import Enum
from typing import Final

from tfgate.model.action import Action
from tfgate.model.rule import Enforcement, OnUnknown, Scope, Severity
from tfgate.ruleset.params import TYPE_PATTERN
from tfgate.ruleset.strict import (
    Boolean,
    Choice,
    Elsewhere,
    Integer,
    Json,
    Key,
    ListOf,
    MapOf,
    Schema,
    Table,
    Text,
)

ID_PATTERN: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
NAME_PATTERN: Final = r"[A-Za-z_][A-Za-z0-9_-]{0,99}"
VERSION_PATTERN: Final = (
    r"(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)"
    r"(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)
_COMPARISON: Final = r"\s*(?:>=|<=|>|<|==|!=)\s*\d+(?:\.\d+){0,2}\s*"
REQUIRES_PATTERN: Final = rf"{_COMPARISON}(?:,{_COMPARISON})*"

GLOB: Final = Text()
NAME: Final = Text("a name of letters, digits, _ and -", NAME_PATTERN)
EXPRESSION: Final = Text(format="jmespath")
_TEST: Final = Elsewhere("tfgate.ruleset.example_tables", "TEST")
OWNER: Final = Text(most=200, one_line=True)


class Mode(str, Enum):
    """Modes of a resource."""

    MANAGED = "managed"
    DATA = "data"


ACTION: Final = Choice(
    Action,
    {
        "destroy": "delete",
        "remove": "delete",
        "recreate": "replace",
        "modify": "update",
        "change": "update",
        "add": "create",
        "noop": "no-op",
    },
)

MATCH: Final = Table(
    "match",
    {
        "types": Key(
            ListOf(GLOB),
            "Globs over the resource type (scope action: over the action's type).",
            default=(),
        ),
        "actions": Key(
            ListOf(ACTION, least=1),
            "What the apply does. Without it: create, update and replace, which is what the apply "
            "will make; in scope drift everything.",
        ),
        "modes": Key(
            ListOf(Choice(Mode), least=1),
            'Modes of the resource. Without it: ["managed"], which leaves data sources out.',
        ),
        "modules": Key(
            ListOf(Text(empty=True)),
            "Globs over the address of the module; the root module is the empty string.",
            default=(),
        ),
        "providers": Key(
            ListOf(GLOB),
            "Globs over the provider's full name or its last part, as in aws.",
            default=(),
        ),
        "addresses": Key(
            ListOf(GLOB),
            "Globs over the address. A [ stands for itself here: it begins no character set.",
            default=(),
        ),
        "names": Key(ListOf(GLOB), "Globs over the name in the configuration.", default=()),
        "blocks": Key(ListOf(GLOB), "Kinds of HCL blocks (scope source).", default=()),
    },
    retired={
        "type": 'write types = ["…"]',
        "action": 'write actions = ["…"]',
        "mode": 'write modes = ["…"]',
        "module": 'write modules = ["…"]',
        "provider": 'write providers = ["…"]',
        "address": 'write addresses = ["…"]',
        "name": 'write names = ["…"]',
    },
)

MUTANT: Final = Table(
    "a surviving mutant",
    {
        "survives": Key(
            Text(),
            "The change, as tfgate rules mutate names it.",
            required=True,
            default="",
        ),
        "reason": Key(Text(most=2_000), "Why no example can notice it.", required=True, default=""),
    },
)

_ONE_EXPRESSION: Final[Schema] = {"oneOf": [{"required": ["deny"]}, {"required": ["require"]}]}

RULE: Final = Table(
    "a rule",
    {
        "id": Key(
            Text("an id of letters, digits, . _ and -", ID_PATTERN),
            "Name of the rule in reports and waivers; unique among the rulesets in use.",
            required=True,
            default="",
        ),
        "title": Key(
            Text(most=300, one_line=True),
            "What must hold, in a short sentence.",
            required=True,
            default="",
        ),
        "severity": Key(
            Choice(Severity),
            "How bad it is when the rule is broken. Decides nothing: enforcement does.",
            required=True,
            default=Severity.MEDIUM,
        ),
        "enforcement": Key(
            Choice(Enforcement, {"mandatory": "hard-mandatory"}),
            "What a failure does: advisory reports, soft-mandatory denies unless an approved "
            "override lets it through, hard-mandatory denies.",
            required=True,
            default=Enforcement.HARD_MANDATORY,
        ),
        "overridable": Key(
            Boolean(),
            "Whether the configuration may lower the enforcement level. Without it, the ruleset's "
            "list overridable decides.",
        ),
        "scope": Key(Choice(Scope), "What the rule is evaluated on.", default=Scope.RESOURCE),
        "match": Key(MATCH, "What the rule selects; without it, everything in the scope."),
        "when": Key(
            EXPRESSION, "JMESPath expression that narrows the match: falsy means not selected."
        ),
        "deny": Key(
            EXPRESSION,
            "JMESPath expression that is truthy where the rule is broken; a list gives one finding "
            "an element. Exactly one of deny and require.",
        ),
        "require": Key(
            EXPRESSION,
            "JMESPath expression that is falsy where the rule is broken. Exactly one of deny and "
            "require.",
        ),
        "let": Key(
            MapOf(EXPRESSION, NAME),
            "JMESPath expressions by name: $name is the value, evaluated once per subject when "
            "first asked for.",
            default={},
        ),
        "on_unknown": Key(
            Choice(OnUnknown),
            "What it does where the outcome depends on values known only after the apply. Without "
            "it: deny for hard-mandatory, verify otherwise.",
        ),
        "message": Key(
            Text(most=2_000),
            "What is wrong with the subject; {after.instance_type}, as any expression in braces, "
            "is filled in, {{ is a brace.",
            required=True,
            default="",
        ),
        "remediation": Key(
            Text(),
            "How to fix it; {…} is filled in as in the message, unless it begins with a space.",
        ),
        "description": Key(Text(), "Why the rule is there, in Markdown."),
        "controls": Key(
            MapOf(ListOf(Text(most=100), least=1)),
            'Controls of frameworks that the rule serves, as in soc2 = ["CC8.1"].',
            default={},
        ),
        "references": Key(
            ListOf(Text("a web address", r"https?://\S+", format="uri")),
            "Web addresses of further reading.",
            default=(),
        ),
        "owners": Key(
            ListOf(OWNER), "Who looks after the rule, where not the ruleset's owners.", default=()
        ),
        "approvals": Key(
            Integer(1, 100),
            "How many people must approve before a failure of a soft-mandatory rule is let "
            "through. Without it: as many as the configuration says.",
            default=1,
        ),
        "tests": Key(ListOf(_TEST, unique=False), "Examples, each with its outcome.", default=()),
        "mutants": Key(
            ListOf(MUTANT, unique=False),
            "Changes to the rule that no example can notice, each with the reason.",
            default=(),
        ),
    },
    rules=(_ONE_EXPRESSION,),
    retired={
        "level": "write enforcement = …",
        "name": "write id = … and title = …",
        "examples": "write [[tests]]",
        "test": "write [[tests]]",
    },
)

HEADER: Final = Table(
    "[ruleset]",
    {
        "id": Key(
            Text("an id of letters, digits, . _ and -", ID_PATTERN),
            "Name of the ruleset: in [params.<id>] and [data.<id>] of tfgate.toml, and in records.",
            required=True,
            default="",
        ),
        "version": Key(
            Text("a semantic version such as 1.4.0", VERSION_PATTERN),
            "Semantic version (semver.org).",
            required=True,
            default="",
        ),
        "title": Key(
            Text(most=300, one_line=True), "What the ruleset is.", required=True, default=""
        ),
        "owners": Key(
            ListOf(OWNER, least=1), "Who looks after it, at least one.", required=True, default=()
        ),
        "description": Key(Text(), "What it is for, in Markdown."),
        "requires": Key(
            Text("a constraint such as >=0.3, <2", REQUIRES_PATTERN),
            "Versions of tfgate it works with, as in >=0.3, <2.",
        ),
        "overridable": Key(
            ListOf(GLOB),
            "Globs over the ids of rules whose enforcement level the configuration may lower. A "
            "hard-mandatory rule is lowered only where its id stands here in full, or where the "
            "rule says overridable = true.",
            default=(),
        ),
    },
)

PARAM: Final = Table(
    "a parameter",
    {
        "type": Key(
            Text(
                "a type such as string, number, bool, any, list(string), map(number)", TYPE_PATTERN
            ),
            "string, number, bool, any, or list(…), set(…), map(…) of one of them.",
            required=True,
            default="any",
        ),
        "default": Key(Json(), "Value where the configuration gives none."),
        "description": Key(
            Text(), "What it is for; shown where a value is missing.", required=True, default=""
        ),
        "required": Key(
            Boolean(),
            "Whether the configuration must give a value. Without it: true where there is no "
            "default. With false and no default, the value is null.",
        ),
    },
)

CONTEXT: Final = Table(
    "a fact of the run",
    {
        **PARAM.keys,
        "default": Key(Json(), "Value where the run gives none."),
        "description": Key(Text(), "What it says, and who gives it.", default=""),
        "required": Key(
            Boolean(),
            "Whether a rule that reads it is an evaluation error where the run gives no value. "
            "Without it: true where there is no default. With false and no default, the value is "
            "null.",
        ),
    },
)

DATA: Final = Table(
    "a data file",
    {
        "file": Key(
            Text(most=500, one_line=True),
            "Path of a .json, .toml or .yaml file, relative to the ruleset's folder and inside it. "
            "Without it, the configuration or --data must name the file.",
        ),
        "schema": Key(
            Text(most=500, one_line=True),
            "Path of a JSON Schema that the file must fit, whoever names it; relative to the "
            "ruleset's folder and inside it.",
        ),
        "description": Key(Text(), "What is in it."),
    },
)


RULESET: Final = Table(
    "a ruleset",
    {
        "ruleset": Key(HEADER, "What the ruleset is.", required=True),
        "params": Key(
            MapOf(PARAM, NAME), "Values that the configuration may set: $params.name.", default={}
        ),
        "context": Key(
            MapOf(CONTEXT, NAME),
            "Facts of the run that --context NAME=VALUE may give, each with its type.",
            default={},
        ),
        "data": Key(MapOf(DATA, NAME), "Files by name: $data.name is the content.", default={}),
        "let": Key(
            MapOf(EXPRESSION, NAME),
            "JMESPath expressions by name, as in a rule; every rule of the ruleset sees them.",
            default={},
        ),
        "rules": Key(ListOf(RULE, unique=False), "The rules of a single-file ruleset.", default=()),
    },
)
"""Both the single-file form and the ``ruleset.toml`` of a folder."""
