"""The reference pages of functions, subjects and audit events, made from the code they describe."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tfgate.audit.events import CHAIN, EVENTS, RUN, Event, Member
from tfgate.engine.functions import SCOPE_FUNCTIONS, rule_functions
from tfgate.model.rule import Scope
from tfgate.model.subjects import FIELDS
from tfgate.query.values import Maybe, Unknown
from tfgate.ruleset.scopes import MATCH_KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tfgate.query import Function


NOTE = "<!-- Made by scripts/generate: change the code it describes, and run it again. -->\n"


def functions_page() -> str:
    """Return docs/reference/functions.md: every function an expression may call."""
    table = sorted(rule_functions(), key=lambda function: function.name)
    scoped = {function.name for function in SCOPE_FUNCTIONS}
    groups = (
        ("Functions of rules", [f for f in table if f.name in scoped]),
        ("Pure functions", [f for f in table if f.name not in scoped and not f.standard]),
        ("The JMESPath standard", [f for f in table if f.standard]),
    )
    lines = [NOTE, "# Functions", "", _INTRODUCTION, ""]
    for title, functions in groups:
        lines += [f"## {title}", ""]
        for function in functions:
            lines += _function(function)
    return "\n".join(lines).rstrip() + "\n"


_INTRODUCTION = """\
Expressions are [JMESPath](https://jmespath.org/specification.html) as published, plus the functions
below. Each takes values that are known only after the apply: what does not depend on them is
settled now, what does is unknown. An argument of a wrong type is an error, and a rule that raises
an error denies. How many steps an expression may take, how long its strings may be, and what
regular expressions are, stands in [Bounds of expressions](bounds.md)."""


def _function(function: Function) -> Iterator[str]:
    yield f"### `{function.name}`"
    yield ""
    yield f"`{function.signature}`"
    yield ""
    yield function.doc if function.doc.endswith(".") else f"{function.doc}."
    if function.errors:
        yield ""
        yield function.errors if function.errors.endswith(".") else f"{function.errors}."
    yield ""
    yield f"Example: `{function.example}`" + _result(function)
    yield ""


def _result(function: Function) -> str:
    if function.scope and function.result is None:
        return ""
    return f" gives `{json.dumps(function.result, default=_special, ensure_ascii=False)}`"


def _special(value: Any) -> str:
    if isinstance(value, (Unknown, Maybe)):
        return repr(value)
    raise TypeError(f"{type(value).__name__} has no place in a reference page")


_SUBJECTS_INTRODUCTION = """\
What a rule of each scope is evaluated on: the root of the document that its expressions see, and
what its `match` may select by. In a type, `?` says that the value may be null; `list(resource)` is
a list of what a rule of scope `resource` has as its root. A value that the plan does not know yet
is unknown: [how it decides](../how-it-decides.md) says what that does to a rule. In messages and
reports, sensitive values are redacted."""

_SUBJECTS: dict[Scope, str] = {
    Scope.RESOURCE: "One change of `resource_changes`, or (with `match.modes` that has `data`) a "
    "data source, also one that was read while the plan was made.",
    Scope.OUTPUT: "One output of the root module.",
    Scope.PLAN: "The plan as a whole, once.",
    Scope.MODULE: "One `module` block, once for all its instances.",
    Scope.PROVIDER: "One provider configuration.",
    Scope.DRIFT: "One resource that changed outside of Terraform.",
    Scope.ACTION: "One action that the apply invokes (Terraform 1.14 and later).",
    Scope.SOURCE: "One block of the sources: see [rules on sources](../sources.md).",
}


def subjects_page() -> str:
    """Return docs/reference/subjects.md: every field of every scope."""
    lines = [NOTE, "# Subjects", "", _SUBJECTS_INTRODUCTION, ""]
    for scope, fields in FIELDS.items():
        keys = ", ".join(f"`{key}`" for key in sorted(MATCH_KEYS[scope])) or "nothing"
        lines += [f"## `{scope}`", "", f"{_SUBJECTS[scope]} `match` selects by {keys}.", ""]
        if scope is Scope.DRIFT:
            lines += ["The fields are those of [`resource`](#resource).", ""]
            continue
        lines += ["| field | type | what it says | example |", "| --- | --- | --- | --- |"]
        for name, field in fields.items():
            lines.append(f"| `{name}` | `{field.type}` | {field.text} | `{field.example}` |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


_EVENTS_INTRODUCTION = """\
Every record has the members of the chain, and those of its event. `tfgate schema record` prints all
of this as a JSON Schema; how records hang together, and how a trail is proven, is in
[the audit record](audit-record.md).

The column OpenTelemetry says which attribute of the log record a [sink of type
otel](../sinks.md#opentelemetry) makes of a member; names in `*` stand for one attribute a key. The
event's name is `tfgate.` and the event, the body is the record's line, byte for byte, and has the
members without a name too. Severity is `WARN` for what somebody should look at (a denial, a
failure, a gap), `INFO` for the rest. Names that are not OpenTelemetry's own begin with `tfgate.`.

The column OCSF says where the same stands in an event of the [Open Cybersecurity Schema
Framework](https://schema.ocsf.io) (1.5 and later), for whoever maps records in a pipeline. A
decision is a compliance finding with the profiles `security_control` and `host` (for `actor`):
`allow` is `action_id` 1 and `disposition_id` 1 (Allowed), `deny` is 2 and 2 (Denied, Blocked), and
`compliance.status_id` is 1 (Pass) or 3 (Fail). Terraform's runs are processes, receipts are managed
entities, and what the trail says of itself is event log activity. `category_uid` is the first digit
of `class_uid`, `type_uid` is 100 times `class_uid` plus `activity_id`, `metadata.product.name` is
`tfgate`, and `severity_id` is 1 (Informational) or, for what OpenTelemetry gets as `WARN`, 3
(Medium)."""


def events_page() -> str:
    """Return docs/reference/audit-events.md: every event with its members and their names."""
    lines = [NOTE, "# Audit events", "", _EVENTS_INTRODUCTION, "", "## The chain", ""]
    lines += ["In every record.", "", *_table(CHAIN), ""]
    lines += ["The log record of a sink also has `tfgate.chain`, the `hash` of record 0.", ""]
    lines += ["## The run", "", "What `run` of a decision has becomes:", ""]
    lines += ["| member of `run` | OpenTelemetry |", "| --- | --- |"]
    lines += [f"| `{name}` | `{otel}` |" for name, otel in RUN.items()]
    lines += ["", "## The events", "", *_overview(), ""]
    for name, event in EVENTS.items():
        lines += [*_event(name, event), ""]
    return "\n".join(lines).rstrip() + "\n"


def _overview() -> Iterator[str]:
    yield "| event | when | OpenTelemetry | OCSF class | activity |"
    yield "| --- | --- | --- | --- | --- |"
    for name, event in EVENTS.items():
        ocsf = event.ocsf
        yield (
            f"| [`{name}`](#{name}) | {event.text} | `tfgate.{name}` | "
            f"{ocsf.class_name} ({ocsf.class_uid}) | {ocsf.activity} ({ocsf.activity_id}) |"
        )


def _event(name: str, event: Event) -> Iterator[str]:
    yield f"### `{name}`"
    yield ""
    yield f"{event.text}."
    yield ""
    yield from _table(event.members)


def _table(members: Mapping[str, Member]) -> Iterator[str]:
    yield "| member | meaning | OpenTelemetry | OCSF |"
    yield "| --- | --- | --- | --- |"
    for name, member in members.items():
        often = "" if member.always else " (not always there)"
        yield f"| `{name}` | {member.text}{often} | {_code(member.otel)} | {_code(member.ocsf)} |"


def _code(name: str | None) -> str:
    return "" if name is None else ", ".join(f"`{one}`" for one in name.split(", "))
