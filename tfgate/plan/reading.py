"""Plan JSON → `Plan`, or one sentence that says why not."""

from __future__ import annotations

import gc
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tfgate.errors import PlanError
from tfgate.plan import lists
from tfgate.plan.configuration import Configuration
from tfgate.plan.context import Context
from tfgate.plan.decoding import decode_value, wrong_shape
from tfgate.plan.digest import Digest
from tfgate.plan.encoding import to_utf8
from tfgate.plan.mistaken import (
    PARTS,
    check_not_binary,
    check_not_empty,
    not_a_plan,
    undecodable,
)
from tfgate.plan.plan import Plan
from tfgate.plan.planned import Planned, check_whole
from tfgate.plan.repeated import check_plan
from tfgate.plan.text import shown
from tfgate.plan.top import Top
from tfgate.plan.version import check_version
from tfgate.plan.wire import LONGEST_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOP: Final = msgspec.json.Decoder(Top)
_SPREAD: Final = re.compile(rb'[{,][ \t\r\n]|":[ \t\r\n]')
_HEAD: Final = 200
"""Bytes at the beginning that show whether somebody has laid the JSON out for reading."""
_ARCHIVED: Final = b'"tfgate_archive"'
_FACTS: Final = {
    "terraform_version": (str, "a string"),
    "timestamp": (str, "a string"),
    "complete": (bool, "true or false"),
    "applyable": (bool, "true or false"),
    "errored": (bool, "true or false"),
}


def read_plan(data: bytes, *, name: str = "plan.json") -> Plan:
    """Read the output of ``terraform show -json PLANFILE``.

    ``name`` is what errors call the input. Time and memory follow the size of ``data`` (which the
    plan keeps) and the number of changes, not what is in them: values stay bytes until a document
    is asked for. Raises PlanError, with one sentence, for whatever is not a whole, unambiguous
    plan of a known format: values that turn out malformed later raise PlanError then.
    """
    try:
        with _without_garbage_collection():
            return _read(data)
    except PlanError as error:
        named = type(error)(f"{shown(name)}: {error.message}", hint=error.hint)
        named.where = error.where
        raise named from None


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Keep the collector from walking some ten thousand new objects that make no cycles."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _read(data: bytes) -> Plan:
    check_not_binary(data)
    digest = Digest(data)
    text = to_utf8(data)
    check_not_empty(text)
    if _SPREAD.search(text[:_HEAD]):
        if _ARCHIVED in text[: 10 * _HEAD]:
            raise PlanError(
                "This is a plan out of tfgate's archive that was formatted anew, which spoils the "
                "marks of its sensitive values.",
                hint="Take the file as it is in the archive.",
            )
        text = _compact(text)
    top = _decode_top(text)
    check_plan(text, top.kept(), top.resource_changes)
    _check_is_plan(text, top)
    version, major, warning = check_version(decode_value(top.format_version, "format_version"))
    return _build(top, digest, version, by_name=major == 0, warnings=(warning,) if warning else ())


def _compact(text: bytes) -> bytes:
    """Take the white space out, once: everything after goes over less text, and in one pass."""
    try:
        return msgspec.json.format(text, indent=-1)
    except (ValueError, RecursionError) as error:
        raise undecodable(text, error) from None


def _decode_top(text: bytes) -> Top:
    try:
        return _TOP.decode(text)
    except (ValueError, RecursionError) as error:
        raise undecodable(text, error) from None


def _check_is_plan(text: bytes, top: Top) -> None:
    parts = top.kept().keys() | (
        {"resource_changes"} if top.resource_changes is not None else set()
    )
    if "format_version" not in parts or parts.isdisjoint(PARTS):
        keys = frozenset(msgspec.json.decode(text, type=dict[str, msgspec.Raw]))
        raise not_a_plan(keys)


def _build(
    top: Top, digest: Digest, version: str, *, by_name: bool, warnings: tuple[str, ...]
) -> Plan:
    facts = {key: _fact(top, key, kind, text) for key, (kind, text) in _FACTS.items()}
    if facts["errored"]:
        raise PlanError(
            "The plan has `errored: true`: planning failed, and what it would do is not known.",
            hint="Mend what `terraform plan` reports, and plan again.",
        )
    configuration = Configuration(top.configuration)

    def context(section: str) -> Context:
        return Context(section, configuration, by_name=by_name)

    planned = Planned(top.planned_values)
    changes = lists.resource_changes(top, context("resource_changes"))
    deferred = lists.deferred(top.deferred_changes, context("deferred_changes"))
    check_whole(planned, configuration, [*changes, *deferred], partial=facts["complete"] is False)
    return Plan(
        top,
        digest,
        configuration=configuration,
        format_version=version,
        warnings=warnings,
        changes=changes,
        drift=lists.drift(top.resource_drift, context("resource_drift")),
        deferred=deferred,
        outputs=lists.outputs(top.output_changes, planned, context("output_changes")),
        actions=lists.invocations(top.action_invocations),
        deferred_actions=lists.deferred_invocations(top.deferred_action_invocations),
        **{**facts, "errored": False},
    )


def _fact(top: Top, key: str, kind: type, expected: str) -> Any:
    value = decode_value(getattr(top, key), key)
    if value is not None and not isinstance(value, kind):
        raise wrong_shape(f"{expected}, or nothing", key)
    if isinstance(value, str) and len(value) > LONGEST_NAME:
        raise wrong_shape(f"at most {LONGEST_NAME:,} characters", key)
    return value
