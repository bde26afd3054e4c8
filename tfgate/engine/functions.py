"""Functions of rules that need more than their arguments: parameters, context, joins.

Registered in ``rule_functions()``, which rulesets are compiled with; each gets the `SubjectScope`
of the rule and subject at hand.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from tfgate.hcl.subject import SourceBlock
from tfgate.query import EvaluationError, Scope
from tfgate.query.equality import same
from tfgate.query.functions.registry import Function, FunctionTable, MayRaise, Parameter
from tfgate.query.state import State
from tfgate.query.values import UNKNOWN, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from tfgate.engine.bound import BoundRule
    from tfgate.engine.context import Context
    from tfgate.plan import Plan, Subject
    from tfgate.query import Judgement


class SubjectScope(Scope):
    """What a rule's functions see while it is evaluated on one subject.

    With ``redacted`` every value out of the plan is the redacted one, so that whatever is computed
    from it may be shown.
    """

    def __init__(
        self,
        plan: Plan | None,
        rule: BoundRule | None,
        subject: Subject,
        document: dict[str, Any],
        context: Context,
        *,
        redacted: bool = False,
    ) -> None:
        self.plan = plan
        self.rule = rule
        self.subject = subject
        self.document = document
        self.context = context
        self.redacted = redacted
        self.now = context.now
        self._variables: dict[str, Judgement | EvaluationError] | None = None

    def variable(self, name: str) -> Any:
        """Give a ``let`` value, evaluated when first asked for."""
        expression = _named(_rule(self, "var").compiled.let, name, "var", "let value")
        if self._variables is None:
            self._variables = {}
        if name not in self._variables:
            try:
                self._variables[name] = expression.judge(self.document, self)
            except EvaluationError as error:
                self._variables[name] = error
        found = self._variables[name]
        if isinstance(found, EvaluationError):
            raise found
        return MayRaise(found.value) if found.may_raise else found.value


def _scoped(scope: SubjectScope | None, function: str) -> SubjectScope:
    if scope is None:
        raise EvaluationError(f"{function}() needs a plan", kind="invalid-value", function=function)
    return scope


def _plan(scope: SubjectScope | None, function: str) -> tuple[SubjectScope, Plan]:
    """Give the plan that the subject is a part of; a block of the sources is a part of none."""
    scoped = _scoped(scope, function)
    if scoped.plan is None or isinstance(scoped.subject, SourceBlock):
        raise EvaluationError(
            f"{function}() needs a subject of a plan", kind="invalid-value", function=function
        )
    return scoped, scoped.plan


def _rule(scope: SubjectScope | None, function: str) -> BoundRule:
    rule = _scoped(scope, function).rule
    if rule is None:
        raise EvaluationError(
            f"{function}() works inside rules alone", kind="invalid-value", function=function
        )
    return rule


def _named(values: Any, name: str, function: str, what: str) -> Any:
    if name in values:
        return values[name]
    from difflib import get_close_matches  # costs 1 ms

    near = get_close_matches(name, values, n=1)
    hint = f"; did you mean {near[0]}" if near else ""
    raise EvaluationError(
        f"{function}() names no {what} there is{hint}", kind="invalid-value", function=function
    )


def _param(scope: SubjectScope | None, name: Any) -> Any:
    if isinstance(name, Unknown):
        return MayRaise(UNKNOWN)
    return _named(_rule(scope, "param").params, name, "param", "parameter")


def _context(scope: SubjectScope | None, name: Any) -> Any:
    if isinstance(name, Unknown):
        return MayRaise(UNKNOWN)
    return _named(_scoped(scope, "context").context.known_facts(), name, "context", "context value")


def _var(scope: SubjectScope | None, name: Any) -> Any:
    if isinstance(name, Unknown):
        return MayRaise(UNKNOWN)
    return _scoped(scope, "var").variable(name)


def _data(scope: SubjectScope | None, name: Any) -> Any:
    if isinstance(name, Unknown):
        return MayRaise(UNKNOWN)
    return _named(_rule(scope, "data").data, name, "data", "data file")


def _changed(scope: SubjectScope | None, path: Any) -> Any:
    if isinstance(path, Unknown):
        return UNKNOWN
    document = _scoped(scope, "changed").document
    steps = path.split(".") if path else []
    before = _walk(document.get("before"), steps)
    after = _walk(document.get("after"), steps)
    equal = same(before, after, State())
    return UNKNOWN if equal is None else not equal


def _walk(value: Any, steps: list[str]) -> Any:
    for step in steps:
        if isinstance(value, Unknown):
            return value
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _references(scope: SubjectScope | None, argument: Any = None) -> Any:
    if isinstance(argument, Unknown):
        return UNKNOWN
    scoped, plan = _plan(scope, "references")
    return plan.references(scoped.subject, argument)


def _referenced_by(scope: SubjectScope | None, pattern: Any) -> Any:
    if isinstance(pattern, Unknown):
        return UNKNOWN
    scoped, plan = _plan(scope, "referenced_by")
    return plan.referenced_by(scoped.subject, pattern, redacted=scoped.redacted)


def _configured(scope: SubjectScope | None, argument: Any) -> Any:
    if isinstance(argument, Unknown):
        return UNKNOWN
    scoped, plan = _plan(scope, "configured")
    return plan.configured(scoped.subject, argument)


def _left_to_provider(scope: SubjectScope | None, argument: Any) -> Any:
    if isinstance(argument, Unknown):
        return UNKNOWN
    scoped, plan = _plan(scope, "left_to_provider")
    from tfgate.plan.leaving import left_to_provider  # few rules ask

    return left_to_provider(plan, scoped.subject, argument)


def _looks_secret(scope: SubjectScope | None, value: Any) -> Any:
    if isinstance(value, Unknown):
        return UNKNOWN
    from tfgate.hcl.secrets import looks_secret  # few rules ask

    return looks_secret(value)


def _literal_secrets(scope: SubjectScope | None) -> Any:
    """Look at the true values, redacted or not: what comes out says where, and never what."""
    subject = _scoped(scope, "literal_secrets").subject
    if not isinstance(subject, SourceBlock):
        raise EvaluationError(
            "literal_secrets() needs a block of the sources",
            kind="invalid-value",
            function="literal_secrets",
        )
    from tfgate.hcl.secret_literals import secret_literals  # few rules ask

    return secret_literals(subject)


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
        handles_unknown=True,
        check=check,
    )


_NAME = (Parameter("name", "string"),)
_ARGUMENT = (Parameter("argument", "string"),)

SCOPE_FUNCTIONS: Final = (
    _function(
        "param",
        _NAME,
        "any",
        _param,
        "The value in force of a parameter that the ruleset declares under [params].",
        "contains(param('allowed_instance_types'), after.instance_type)",
        "Fails for a name that [params] does not declare (found when the ruleset is loaded).",
    ),
    _function(
        "context",
        _NAME,
        "any",
        _context,
        "A fact of the run: workspace, operator, backend, time, date, hour, minute, weekday (1 is "
        "Monday), repository, commit, or one that the caller gave.",
        "starts_with(context('workspace'), 'prod-')",
        "Fails for a name that this run gives no value for.",
    ),
    _function(
        "var",
        _NAME,
        "any",
        _var,
        "A value of the rule's own let table, evaluated once per subject when first asked for.",
        "var('statements')[?Effect == 'Allow']",
        "Fails where its expression fails.",
    ),
    _function(
        "data",
        _NAME,
        "any",
        _data,
        "The content of a JSON or TOML file that the ruleset declares under [data].",
        "contains(data('stateful').types, type)",
        "Fails for a name that [data] does not declare (found when the ruleset is loaded).",
    ),
    _function(
        "changed",
        (Parameter("path", "string"),),
        "boolean",
        _changed,
        "Whether before and after differ at a dotted path of attributes.",
        "changed('tags.Owner')",
        check=_check_argument_path,
    ),
    _function(
        "references",
        (Parameter("argument", "string", optional=True),),
        "array",
        _references,
        "Configuration addresses that an argument of the subject refers to (all arguments where "
        "none is named), followed through variables and outputs of modules.",
        "references('kms_key_id')[?glob(@, '*aws_kms_key.*')]",
        check=_check_argument_path,
    ),
    _function(
        "referenced_by",
        (Parameter("type", "string"),),
        "array",
        _referenced_by,
        "The changes of resources of a type (a glob) whose configuration refers to the subject, "
        "each as in a resource rule.",
        "referenced_by('aws_s3_bucket_public_access_block')[?after.block_public_acls]",
    ),
    _function(
        "configured",
        _ARGUMENT,
        "boolean",
        _configured,
        "Whether the subject's own block sets an argument (or has a block of that name).",
        "configured('lifecycle_rule')",
        check=_check_argument_path,
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
    ),
    _function(
        "looks_secret",
        (Parameter("value", "any"),),
        "string|null",
        _looks_secret,
        "What kind of secret a string looks like (a GitHub token, a random string), by documented "
        "formats and by its randomness; null where it looks like none.",
        "looks_secret(after.user_data)",
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
    ),
)
"""The functions of this module, for the registry and for the documentation."""


@lru_cache(maxsize=1)
def rule_functions() -> FunctionTable:
    """Give everything a rule's expression may call."""
    return FunctionTable.default().extended(SCOPE_FUNCTIONS)
