"""Records against the table of events: nothing is written that it does not name."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from tfgate.audit.event_schema import record_schema

if TYPE_CHECKING:
    from collections.abc import Iterable


@lru_cache(maxsize=1)
def _strict() -> Draft202012Validator:
    return Draft202012Validator(record_schema(strict=True))


def check_records(records: Iterable[dict[str, Any]]) -> None:
    """Fail where a record has an event, a member or a type that the table does not have."""
    for record in records:
        problems = [
            f"{record.get('event')}: {error.json_path}: {error.message[:300]}"
            for error in _strict().iter_errors(record)
        ]
        assert not problems, problems
