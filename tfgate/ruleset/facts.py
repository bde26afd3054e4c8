"""The facts of a run, ``$context``: which names there are, of which types, and their values.

tfgate itself declares what it supplies: some facts in every run, others where Atlantis or a run
task of HCP Terraform starts it. A ruleset declares every other name under ``[context]``, with the
types that parameters have. What the command line gives is text, and converted by the declared type.
A name that nothing declares is refused, whoever gives it: a misspelt ``--context blokced=true``
would leave a rule that asks for ``blocked`` without its value.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from tfgate.errors import UsageError
from tfgate.ruleset.params import ParamSpec, ParamType
from tfgate.ruleset.problems import Problems, nearest, show_name
from tfgate.ruleset.template import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tfgate.ruleset.problems import KeyPath

Specs = dict[str, ParamSpec]


def _specs(*rows: tuple[str, str, str], required: bool = False) -> Specs:
    return {
        name: ParamSpec(name, ParamType(kind), doc, required=required) for name, kind, doc in rows
    }


IN_EVERY_RUN: Final = _specs(
    ("workspace", "string", "Name of the workspace."),
    ("operator", "string", "Name of who asks for the apply."),
    ("operator_source", "string", "How the operator is known: flag, git, ci, …"),
    ("backend", "string", "Kind of the backend, or null."),
    ("time", "string", "Time of the evaluation, RFC 3339."),
    ("date", "string", "Its date: 2026-01-05."),
    ("hour", "number", "Its hour, 0 to 23."),
    ("minute", "number", "Its minute, 0 to 59."),
    ("weekday", "number", "Its day of the week: 1 is Monday, 7 is Sunday."),
    ("repository", "string", "Repository of the configuration, or null."),
    ("commit", "string", "Commit of the configuration, or null."),
)
"""Facts that tfgate finds out itself, in every run. Nothing else can set them."""

BY_HOST: Final = _specs(
    ("pull", "string", "Atlantis: number of the pull request."),
    ("pull_author", "string", "Atlantis: who opened the pull request."),
    ("base_branch", "string", "Atlantis: branch that the pull request goes into."),
    ("head_branch", "string", "Atlantis: branch of the pull request."),
    ("project", "string", "Atlantis and HCP Terraform: name of the project."),
    ("directory", "string", "Atlantis: directory of the project in the repository."),
    ("policy_set", "string", "Atlantis: name of the policy set."),
    ("run_id", "string", "HCP Terraform: id of the run."),
    ("stage", "string", "HCP Terraform: stage of the run, as in post_plan."),
    ("organization", "string", "HCP Terraform: name of the organization."),
    ("workspace_id", "string", "HCP Terraform: id of the workspace."),
    ("is_speculative", "bool", "HCP Terraform: whether the run can never be applied."),
    ("vcs_branch", "string", "HCP Terraform: branch of the configuration, or null."),
    required=True,
)
"""Facts of runs that Atlantis or HCP Terraform starts. Elsewhere ``--context`` gives them, and a
rule that reads one that nothing gave is an evaluation error."""


def known_facts(declared: Mapping[str, ParamSpec]) -> Specs:
    """Return every name that a rule of a ruleset may read of ``$context``."""
    return {**BY_HOST, **declared, **IN_EVERY_RUN}


def check_declared(declared: Mapping[str, ParamSpec], problems: Problems) -> None:
    """Record each declaration of what tfgate itself finds out, or gives another type."""
    for name, spec in declared.items():
        if name in IN_EVERY_RUN:
            problems.add("tfgate itself supplies this fact: read it without declaring it",
                         ("context", name))  # fmt: skip
        elif name in BY_HOST and BY_HOST[name].type != spec.type:
            message = f"tfgate itself supplies this fact, as {BY_HOST[name].type}, not {spec.type}"
            problems.add(message, ("context", name, "type"))


def check_example_context(
    declared: Mapping[str, ParamSpec], values: Mapping[str, Any], at: KeyPath, problems: Problems
) -> None:
    """Record each name that nothing declares and each value of another type, in an example."""
    known = known_facts(declared)
    for name, value in values.items():
        if name not in known:
            message = f"nothing declares this fact{_nearest(name, known)}: write [context.{name}]"
            problems.add(message, (*at, name))
        else:
            known[name].type.check(value, (*at, name), problems)


def given_facts(
    declarations: Iterable[Mapping[str, ParamSpec]], given: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what the caller gives, each value of the type that a ruleset in use declares.

    A text is converted: ``true`` and ``false`` for a bool, a JSON number for a number, JSON for
    lists, maps and ``any``. Raises ``UsageError`` for a name that nothing declares and for a value
    of another type.
    """
    if not given:
        return {}
    declared: Specs = {}
    for specs in declarations:
        declared |= specs
    return {name: _given(name, value, known_facts(declared)) for name, value in given.items()}


def _given(name: str, value: Any, known: Mapping[str, ParamSpec]) -> Any:
    if name in IN_EVERY_RUN:
        instead = {"workspace": " Use --workspace.", "operator": " Use --operator."}.get(name)
        raise UsageError(f"--context cannot set {name}: tfgate finds it out itself.{instead or ''}")
    spec = known.get(name)
    if spec is None:
        raise UsageError(
            f"--context {show_name(name)}: no ruleset in use declares this fact"
            f"{_nearest(name, known)}.",
            hint=f'Declare it in the ruleset: [context.{show_name(name)}], type = "string".',
        )
    if value is None:
        return None
    is_text = isinstance(value, str) and spec.type.name != "string"
    converted = _converted(value) if is_text else value
    if converted is _NO_JSON or not spec.type.check(converted, (), Problems("")):
        raise UsageError(
            f"--context {name}={visible(str(value))[:60]} is not of the type {spec.type}, which "
            f"{name} is declared as.",
            hint=_HOW.get(spec.type.name, f"Write it as JSON: --context '{name}=[\"a\"]'."),
        )
    return converted


_HOW: Final = {"bool": "Write true or false.", "number": "Write a number such as 3 or 0.5."}
_NO_JSON: Final = object()


def _converted(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=lambda word: _NO_JSON)
    except (ValueError, RecursionError):
        return _NO_JSON


def _nearest(name: str, known: Iterable[str]) -> str:
    near = nearest(name, known)
    return f" (did you mean {near}?)" if near else ""


def resolve_facts(declared: Mapping[str, ParamSpec], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``$context`` of a ruleset's rules: what the run has, and the ruleset's defaults.

    A name that needs a value and has none is left out.
    """
    defaults = {name: spec.default for name, spec in declared.items() if not spec.required}
    return {**defaults, **facts}
