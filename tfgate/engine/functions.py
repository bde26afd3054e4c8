"""Functions of rules that need more than their arguments: joins, and what a block says.

Registered in ``rule_functions()``, which rulesets are compiled with; each gets the `SubjectScope`
of the rule and subject at hand.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final

from tfgate.engine.scope import SubjectScope, scoped
from tfgate.query import EvaluationError
from tfgate.query.equality import same
from tfgate.query.functions.registry import Function, FunctionTable, MayRaise, Parameter
from tfgate.query.values import UNKNOWN, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from tfgate.plan import Plan
    from tfgate.query.state import State


LONGEST_SECRET: Final = 100_000
"""Characters of a value that are looked at."""


def _plan(scope: SubjectScope | None, function: str) -> tuple[SubjectScope, Plan]:
    """Return the plan that the subject is a part of; a block of the sources is a part of none."""
    here = scoped(scope, function)
    if here.plan is None or not here.subject.in_plan:
        raise EvaluationError(
            f"{function}() needs a subject of a plan", kind="invalid-value", function=function
        )
    return here, here.plan


def _changed(state: State, path: Any) -> Any:
    if isinstance(path, Unknown):
        return UNKNOWN
    document = scoped(state.scope, "changed").document
    steps = path.split(".") if path else []
    before = _walk(document.get("before"), steps)
    after = _walk(document.get("after"), steps)
    equal = same(before, after, state)
    return UNKNOWN if equal is None else not equal


def _walk(value: Any, steps: list[str]) -> Any:
    for step in steps:
        if isinstance(value, Unknown):
            return value
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and _is_index(step, value):
            value = value[int(step)]
        else:
            return None
    return value


def _is_index(step: str, elements: list[Any]) -> bool:
    """Whether a step is the index of an element; Python reads no number of 5,000 digits."""
    return step.isdecimal() and len(step) < 10 and int(step) < len(elements)


def _references(state: State, argument: Any = None, of: Any = None) -> Any:
    if isinstance(argument, Unknown):
        return UNKNOWN
    return _linked(state, "references", argument, of)


def _referenced_by(state: State, pattern: Any, of: Any = None) -> Any:
    if isinstance(pattern, Unknown):
        return UNKNOWN
    return _linked(state, "referenced_by", pattern, of)


def _linked(state: State, function: str, argument: str | None, of: Any) -> Any:
    """Find what refers to the subject, or is referred to; of another resource from ``of``."""
    scope, plan = _plan(state.scope, function)
    find: Any = plan.references if function == "references" else plan.referenced_by
    if of is None:
        call = partial(find, scope.subject, argument, redacted=scope.redacted)
        return scope.joined(state, function, argument, call)
    if isinstance(of, Unknown):
        return MayRaise(UNKNOWN)
    address, deposed = of.get("address"), of.get("deposed")
    if isinstance(address, Unknown):
        return UNKNOWN
    if type(address) is not str:
        raise EvaluationError(
            f"{function}() needs a resource with its address, as the elements of changes, "
            "references() and referenced_by() have one",
            kind="invalid-type",
            function=function,
        )
    other = plan.find(address, deposed if type(deposed) is str else None)
    if other is None:
        return UNKNOWN
    return scope.hop(
        state,
        (function, argument, other.position),
        partial(find, other, argument, redacted=scope.redacted),
    )


def _configured(state: State, argument: Any) -> Any:
    if isinstance(argument, Unknown):
        return UNKNOWN
    scope, plan = _plan(state.scope, "configured")
    find = partial(plan.configured, scope.subject, argument)
    return scope.joined(state, "configured", argument, find)


def _left_to_provider(state: State, argument: Any) -> Any:
    if isinstance(argument, Unknown):
        return UNKNOWN
    scope, plan = _plan(state.scope, "left_to_provider")
    find = partial(plan.left_to_provider, scope.subject, argument)
    return scope.joined(state, "left_to_provider", argument, find)


def _looks_secret(state: State, value: Any) -> Any:
    if isinstance(value, Unknown):
        return UNKNOWN
    if type(value) is str:
        state.spend(min(len(value), LONGEST_SECRET))  # patterns look at each character
    from tfgate.hcl.secrets import looks_secret  # few rules ask

    return looks_secret(value)


def _literal_secrets(state: State) -> Any:
    """Look at the true values, redacted or not: what comes out says where, and never what."""
    scope = scoped(state.scope, "literal_secrets")
    if scope.subject.in_plan:
        raise EvaluationError(
            "literal_secrets() needs a block of the sources",
            kind="invalid-value",
            function="literal_secrets",
        )
    return scope.joined(state, "literal_secrets", None, scope.subject.literal_secrets)


def _check_argument_path(arguments: tuple[Any, ...]) -> str | None:
    argument = arguments[0] if arguments else None
    if isinstance(argument, str) and argument.startswith(("after.", "before.", "config.")):
        return f"name the argument itself, without {argument.partition('.')[0]}."
    return None


def _function(
    name: str,
    parameters: tuple[Parameter, ...],
    returns: str,
    call: Callable[..., Any],
    doc: str,
    example: str,
    errors: str = "",
    check: Callable[[tuple[Any, ...]], str | None] | None = None,
    *,
    state: bool = False,
) -> Function:
    return Function(
        name=name,
        parameters=parameters,
        returns=returns,
        doc=doc,
        example=example,
        result=None,
        call=call,
        errors=errors,
        scope=True,
        state=state,
        handles_unknown=True,
        check=check,
    )


_ARGUMENT = (Parameter("argument", "string"),)

SCOPE_FUNCTIONS: Final = (
    _function(
        "changed",
        (Parameter("path", "string"),),
        "boolean",
        _changed,
        "Whether before and after differ at a dotted path of attributes.",
        "changed('tags.Owner')",
        check=_check_argument_path,
        state=True,
    ),
    _function(
        "references",
        (
            Parameter("argument", "string|null", optional=True),
            Parameter("of", "object", optional=True),
        ),
        "array",
        _references,
        "What an argument of the subject refers to (all arguments where none is named), followed "
        "through variables and outputs of modules: each as in a resource rule, without "
        "module_variables, and with certain. One that the expression does more with than to point "
        "at it, or that the values do not show, may be missing (certain is false): what rests on "
        "it is unknown. With a resource as the second argument it is about that one.",
        "references('bucket')[].references('kms_key_id', @)[].after.enable_key_rotation",
        "Fails for an object without an address.",
        check=_check_argument_path,
        state=True,
    ),
    _function(
        "referenced_by",
        (Parameter("type", "string"), Parameter("of", "object", optional=True)),
        "array",
        _referenced_by,
        "The changes of resources of a type (a glob) whose configuration refers to the subject, "
        "each as references() gives them. One that does more "
        "than to point at the subject, or whose values do not name it, may be missing: what rests "
        "on it is unknown. With a resource as the second argument it is about that one.",
        "referenced_by('aws_s3_bucket_public_access_block')[?after.block_public_acls]",
        "Fails for an object without an address.",
        state=True,
    ),
    _function(
        "configured",
        _ARGUMENT,
        "boolean",
        _configured,
        "Whether the subject's own block sets an argument (or has a block of that name).",
        "configured('lifecycle_rule')",
        check=_check_argument_path,
        state=True,
    ),
    _function(
        "left_to_provider",
        _ARGUMENT,
        "boolean",
        _left_to_provider,
        "Whether the subject's own block says nothing of an argument (a dotted path leads into "
        "nested blocks) and its value is known after the apply only: the default will hold.",
        "after.encrypted == `false` || left_to_provider('encrypted')",
        check=_check_argument_path,
        state=True,
    ),
    _function(
        "looks_secret",
        (Parameter("value", "any"),),
        "string|null",
        _looks_secret,
        "What kind of secret a string looks like (a GitHub token, a random string), by documented "
        "formats and by its randomness; null where it looks like none.",
        "looks_secret(after.user_data)",
        state=True,
    ),
    _function(
        "literal_secrets",
        (),
        "array",
        _literal_secrets,
        "In scope source: the literals of the block that look like secrets, or stand under a name "
        "of one, each as its path and what it looks like. The value is never shown.",
        "literal_secrets()",
        "Fails for a subject that is no block of the sources.",
        state=True,
    ),
)
"""The functions of this module, for the registry and for the documentation."""


@lru_cache(maxsize=1)
def rule_functions() -> FunctionTable:
    """Return everything a rule's expression may call."""
    return FunctionTable.default().extended(SCOPE_FUNCTIONS)
