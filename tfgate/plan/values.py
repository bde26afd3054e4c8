"""``before`` and ``after`` of a change, decoded as far as they are read, merged and redacted."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from tfgate.model.text import late
from tfgate.plan.arguments import settle
from tfgate.plan.decoding import (
    decode_value,
    may_hold_unknown,
    part_error,
    too_deep,
    wrong_shape,
)
from tfgate.query.values import SENSITIVE, UNKNOWN, Unknown

if TYPE_CHECKING:
    from tfgate.errors import PlanError
    from tfgate.plan.change import Change
    from tfgate.plan.reads import Reads


# --- ``after`` and ``after_unknown`` as one value with `UNKNOWN` where Terraform does not know yet.
#
# The format leaves unknown attributes out of ``after`` and writes null for unknown list elements;
# ``after_unknown`` has true in their places. Where the two do not fit together, the part that does
# not fit is unknown: it is never guessed.


def merge(known: Any, unknown: Any) -> Any:
    """Lay ``after_unknown`` (true, false, null, or a structure of them) over ``after``.

    Neither argument is changed; parts without unknowns are shared with ``known``.
    """
    if type(unknown) is dict:
        return _merge_object(known, unknown)
    if type(unknown) is list:
        return _merge_list(known, unknown) if marks_any(unknown) else known
    return UNKNOWN if unknown is True else known


def _merge_object(known: Any, unknown: dict[str, Any]) -> Any:
    if known is not None and type(known) is not dict:
        return UNKNOWN if marks_any(unknown) else known
    merged, added = None, False
    for key, mark in unknown.items():
        if mark is not True and type(mark) is not dict and type(mark) is not list:
            continue
        part = None if known is None else known.get(key)
        laid = UNKNOWN if mark is True else merge(part, mark)
        if laid is part:
            continue
        if merged is None:
            merged = {} if known is None else dict(known)
        added = added or key not in merged
        merged[key] = laid
    if merged is None:
        return known
    # The order of Terraform, which the object has once all of it is known: `(*)[0]` asks for it.
    return dict(sorted(merged.items())) if added else merged


def _merge_list(known: Any, unknown: list[Any]) -> Any:
    if known is None:
        known = []
    if type(known) is not list:
        return UNKNOWN
    if len(known) < len(unknown):
        restored = _restore_dropped(known, unknown)
        if restored is None:
            return UNKNOWN
        known = restored
    merged = [merge(value, mark) for value, mark in zip(known, unknown, strict=False)]
    return merged + known[len(unknown) :]


def _restore_dropped(known: list[Any], unknown: list[Any]) -> list[Any] | None:
    """Put a null back for each unknown element that the plan left out.

    Terraform before 1.1 dropped wholly unknown elements of sets and tuples from ``after`` but
    kept them in ``after_unknown``. None if the lengths are explained neither way.
    """
    if len(known) + sum(mark is True for mark in unknown) != len(unknown):
        return None
    rest = iter(known)
    return [None if mark is True else next(rest) for mark in unknown]


def marks_any(marks: Any) -> bool:
    """Whether there is a true anywhere in ``marks``."""
    if type(marks) is not dict and type(marks) is not list:
        return marks is True
    for mark in marks.values() if type(marks) is dict else marks:
        if mark is True or ((type(mark) is dict or type(mark) is list) and marks_any(mark)):
            return True
    return False


_TRUE: Final = b"true"
_OBJECT_IN_LIST: Final = late(rb"[\[,][ \t\r\n]*\{")
"""A brace behind a comma or a bracket: the objects in an object stand behind their keys."""


def before(change: Change, reads: Reads) -> Any:
    """Decode what is read of ``before``: an object, or null."""
    value = _decode(change, reads, "before", "before")
    if value is True or value is False:
        raise _no_object(change, "before")
    return value


def after(change: Change, reads: Reads) -> Any:
    """Decode what is read of ``after`` and lay ``after_unknown`` over it.

    Gives an object, None where nothing will be there, or `UNKNOWN` where all of it is unknown
    (`tfgate.plan.values.merge`). An element of a list that stands for any number of them is a
    `Maybe` (`tfgate.plan.arguments`).
    """
    body = change.body
    try:
        known = reads.attributes("after").decode(body.after)
    except (ValueError, RecursionError) as error:
        raise part_error(error, f"{change.where}.after") from None
    if known is True or known is False:
        raise _no_object(change, "after")
    marks = bytes(body.after_unknown)
    if _TRUE not in marks:
        return known
    try:
        whole = merge(known, unknown(change, reads))
        if _OBJECT_IN_LIST.search(marks) or may_hold_unknown(bytes(body.after)):
            return settle(change, whole)
        return whole
    except RecursionError:
        raise too_deep(f"{change.where}.after") from None


def unknown(change: Change, reads: Reads) -> Any:
    """Decode what is read of ``after_unknown``: what `after` lays over what is known."""
    return _decode(change, reads, "after", "after_unknown")


def redacted_before(change: Change, reads: Reads) -> Any:
    """Return ``before`` with `SENSITIVE` for what ``before_sensitive`` marks."""
    return _hidden(change, reads, before(change, reads), "before")


def redacted_after(change: Change, reads: Reads) -> Any:
    """Return ``after``, unknowns included, with `SENSITIVE` for what ``after_sensitive`` marks."""
    return _hidden(change, reads, after(change, reads), "after")


def marked_attributes(change: Change) -> frozenset[str] | None:
    """Name the top-level attributes with anything sensitive in them; None for all of them."""
    names: set[str] = set()
    for side in ("before_sensitive", "after_sensitive"):
        marks = decode_value(getattr(change.body, side), f"{change.where}.{side}")
        if marks is True:
            return None
        if type(marks) is dict:
            names.update(name for name, mark in marks.items() if marks_any(mark))
    return frozenset(names)


def _no_object(change: Change, side: str) -> PlanError:
    return wrong_shape("an object or null, got bool", f"{change.where}.{side}")


def _decode(change: Change, reads: Reads, side: str, part: str) -> Any:
    """Decode, of one part of the change, the attributes that are read of ``side``."""
    try:
        return reads.attributes(side).decode(getattr(change.body, part))
    except (ValueError, RecursionError) as error:
        raise part_error(error, f"{change.where}.{part}") from None


def _hidden(change: Change, reads: Reads, value: Any, side: str) -> Any:
    """Redact what is marked; by name as well where the format is old or marks are absent."""
    part = f"{side}_sensitive"
    marks = getattr(change.body, part)
    if not marks or change.context.by_name:
        value = redact_named(value)
    if _TRUE not in bytes(marks):
        return value

    return redact(value, _decode(change, reads, side, part))


# --- The redacted view: what ``before_sensitive``/``after_sensitive`` mark becomes `SENSITIVE`.
#
# Nothing below a mark is left: no value, no key, no length. Where marks and value do not fit
# together, the whole part is hidden.


def redact(value: Any, marks: Any) -> Any:
    """Redact in ``value`` (which may hold unknowns) what ``marks`` has true for.

    A sensitive value that is unknown as well is `SENSITIVE`. Parts without marks are shared.
    """
    if marks is True:
        return SENSITIVE
    if not marks_any(marks):
        return value
    if isinstance(value, Unknown):
        return value
    if type(marks) is dict:
        return _redact_object(value, marks)
    return _redact_list(value, marks)


def _redact_object(value: Any, marks: dict[str, Any]) -> Any:
    if type(value) is not dict:
        return SENSITIVE
    hidden = dict(value)
    for key, mark in marks.items():
        if key in value:
            hidden[key] = redact(value[key], mark)
        elif marks_any(mark):
            hidden[key] = SENSITIVE
    return hidden


def _redact_list(value: Any, marks: list[Any]) -> Any:
    if type(value) is not list or len(value) != len(marks):
        return SENSITIVE
    return [redact(part, mark) for part, mark in zip(value, marks, strict=True)]


# --- The list of names that say "a secret is in here", for where a plan carries no marks.
#
# Plans before format 1.0 mark no attribute as sensitive, and no plan marks the constants in its
# ``configuration``: provider arguments, module arguments, connections. Redacting by name is a
# second line there; where the plan has marks, they decide.


_ANYWHERE: Final = late(
    r"passw|passphrase|secret|credential|private_?key|api_?key|access_?key|account_?key"
    r"|shared_?key|auth_?key|encryption_?key|signing_?key|ssh_?key|master_?key(?!_id|_arn)"
    r"|connection_?string|conn_?str|sas_?url|webhook_?url|client_?key|user_?data|private_?pem"
    r"|authorization|kubeconfig|kube_?config|keytab|sensitive"
)
_AS_A_WORD: Final = late(r"(?:^|[_\-. ])(?:token|pwd|pass|pin|otp|jwt|dsn|pat|auth)(?:$|[_\-. \d])")
_KEY: Final = late(r"(?:key|pem|cert|certificate|cookie|session|login|headers?)(?:_?id)?$")
_CAMEL: Final = late(r"(?<=[a-z0-9])(?=[A-Z])")


@lru_cache(maxsize=4096)
def names_secret(name: str) -> bool:
    """Whether an attribute or argument of this name may hold a secret."""
    words = _CAMEL.sub("_", name).lower()
    return bool(_ANYWHERE.search(words) or _AS_A_WORD.search(words))


def redact_named(value: Any) -> Any:
    """Replace by `SENSITIVE` whatever stands below a name of the list; share the rest."""
    if type(value) is dict:
        return {
            key: part if part is None else SENSITIVE if names_secret(key) else redact_named(part)
            for key, part in value.items()
        }
    if type(value) is list:
        return [redact_named(part) for part in value]
    return value


def ends_as_key(name: str) -> bool:
    """Whether a provider's argument is a key of some kind: ``app_key``, ``cert_pem``."""
    return bool(_KEY.search(_CAMEL.sub("_", name).lower()))


# --- The redacted view of ``expressions``: constants that may be secret are hidden.
#
# A configuration has no marks. What tells a secret is the change's own marks, the sensitivity of
# the variable that an argument is for, and the list of names (`tfgate.plan.values`).


_CONSTANT: Final = "constant_value"
_EXPRESSION: Final = frozenset({_CONSTANT, "references"})


def redact_block(document: dict[str, Any], marked: frozenset[str] | None) -> dict[str, Any]:
    """Redact fields of ``config``; ``marked`` names attributes with a mark, None for all."""
    hidden = dict(document)
    for name in ("count_expression", "for_each_expression", "provisioners"):
        if name in document:
            hidden[name] = redact_expression(document[name])
    if "expressions" in document:
        hidden["expressions"] = redact_expressions(document["expressions"], marked)
    return hidden


def redact_expressions(expressions: Any, marked: frozenset[str] | None = frozenset()) -> Any:
    """Redact a map of argument name → expression or nested blocks."""
    if type(expressions) is not dict:
        return redact_expression(expressions)
    return {
        name: redact_expression(part, secret=marked is None or name in marked or names_secret(name))
        for name, part in expressions.items()
    }


def redact_expression(part: Any, *, secret: bool = False) -> Any:
    """Redact one expression, block, list or map of blocks; ``secret`` redacts every constant."""
    if type(part) is list:
        return [redact_expression(element, secret=secret) for element in part]
    if type(part) is not dict:
        return SENSITIVE if secret and part is not None else part
    if part.keys() <= _EXPRESSION:
        return _redact_leaf(part, secret)
    return {
        name: redact_expression(inner, secret=secret or names_secret(name))
        for name, inner in part.items()
    }


def _redact_leaf(expression: dict[str, Any], secret: bool) -> dict[str, Any]:
    if _CONSTANT not in expression:
        return expression
    value = expression[_CONSTANT]
    hidden = SENSITIVE if secret and value is not None else redact_named(value)
    return {**expression, _CONSTANT: hidden}
