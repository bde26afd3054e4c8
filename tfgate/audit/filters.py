"""What a search asks of a record."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from tfgate.audit.pipeline import timestamp
from tfgate.audit.record import canonical
from tfgate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Filters(msgspec.Struct, frozen=True, omit_defaults=True):
    """Conditions that must all hold. Texts are globs: ``*`` and ``?``; ``[`` stands for itself.

    The conditions on a finding (``rule``, ``address``, ``type``, ``control``, ``outcome``,
    ``waiver``) must hold of one and the same finding.
    """

    event: str | None = None
    decision_id: str | None = None
    workspace: str | None = None
    operator: str | None = None
    decision: str | None = None
    """``allow`` or ``deny``."""
    plan: str | None = None
    """Beginning of the SHA-256 of the plan file or of its JSON."""
    ruleset: str | None = None
    """``id`` or ``id@version``."""
    commit: str | None = None
    """Beginning of the commit of the configuration, or of a ruleset."""
    approver: str | None = None
    rule: str | None = None
    """Also matches decisions in which the rule passed, unless ``outcome`` says otherwise."""
    address: str | None = None
    type: str | None = None
    control: str | None = None
    """``framework`` or ``framework:control``: ``soc2:CC8.1``."""
    outcome: str | None = None
    waiver: str | None = None
    """Rule, owner, ticket or source of a waiver; ``*`` for any."""
    since: str | None = None
    """As a record's ``time`` is written; ``parse_moment`` gives it."""
    until: str | None = None

    @property
    def of_findings(self) -> bool:
        """Whether any condition is on a finding."""
        asked = (self.rule, self.address, self.type, self.control, self.outcome, self.waiver)
        return any(condition is not None for condition in asked)

    def needles(self) -> list[bytes]:
        """Give bytes that every matching line has: a cheap test before decoding."""
        exact = (self.event, self.decision_id, self.workspace, self.operator, self.decision)
        return [canonical(text) for text in exact if text is not None and not _is_glob(text)]


def record_matches(filters: Filters, record: dict[str, Any]) -> bool:
    """Say whether the conditions on the record itself hold."""
    time = record["time"]
    if (filters.since and time < filters.since) or (filters.until and time > filters.until):
        return False
    return (
        _one(filters.event, record["event"])
        and _one(filters.decision_id, record.get("decision_id"))
        and _one(filters.workspace, record.get("workspace"))
        and _one(filters.operator, record.get("operator"))
        and _one(filters.decision, record.get("decision"))
        and _begins(filters.plan, _plans(record))
        and _any(filters.ruleset, _rulesets(record))
        and _begins(filters.commit, _commits(record))
        and _any(filters.approver, _approvers(record))
    )


def finding_matches(filters: Filters, finding: dict[str, Any]) -> bool:
    """Say whether the conditions on a finding hold of this one."""
    return (
        _one(filters.rule, finding.get("rule"))
        and _one(filters.address, finding.get("address"))
        and _one(filters.type, finding.get("type"))
        and _one(filters.outcome, finding.get("outcome"))
        and _any(filters.control, _controls(finding.get("controls")))
        and _any(filters.waiver, _waiver(finding.get("waiver")))
    )


def passes_match(filters: Filters, record: dict[str, Any]) -> bool:
    """Say whether a rule that passed matches: records count passes per rule, without addresses."""
    if filters.outcome not in (None, "pass"):
        return False
    if any(asked is not None for asked in (filters.address, filters.type, filters.waiver)):
        return False
    controls = _table(record.get("rule_controls"))
    return any(
        _table(counts).get("pass")
        and _one(filters.rule, rule)
        and _any(filters.control, _controls(controls.get(rule)))
        for rule, counts in _table(record.get("rules")).items()
    )


def glob_matches(pattern: str, text: str) -> bool:
    """Match a whole text against a glob of ``*`` and ``?``."""
    return _compiled(pattern).fullmatch(text) is not None


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> re.Pattern[str]:
    # Several stars in a row mean one, and would make matching slow.
    parts = re.split(r"(\*+|\?)", pattern)
    special = {"?": "."}
    return re.compile(
        "".join(
            ".*" if part[:1] == "*" else special.get(part) or re.escape(part) for part in parts
        ),
        re.DOTALL,
    )


def _is_glob(text: str) -> bool:
    return "*" in text or "?" in text


def _one(pattern: str | None, value: object) -> bool:
    return pattern is None or (isinstance(value, str) and glob_matches(pattern, value))


def _any(pattern: str | None, values: Iterable[str]) -> bool:
    return pattern is None or any(glob_matches(pattern, value) for value in values)


def _begins(start: str | None, values: Iterable[object]) -> bool:
    return start is None or any(isinstance(v, str) and v.startswith(start) for v in values)


def _plans(record: dict[str, Any]) -> Iterator[object]:
    plan = _table(record.get("plan"))
    yield from (record.get("plan_sha256"), plan.get("json_sha256"), plan.get("file_sha256"))


def _rulesets(record: dict[str, Any]) -> Iterator[str]:
    for ruleset in _tables(record.get("rulesets")):
        yield str(ruleset.get("id"))
        yield f"{ruleset.get('id')}@{ruleset.get('version')}"


def _commits(record: dict[str, Any]) -> Iterator[object]:
    yield _table(record.get("run")).get("commit")
    for ruleset in _tables(record.get("rulesets")):
        yield ruleset.get("commit")


def _approvers(record: dict[str, Any]) -> Iterator[str]:
    yield from _texts(record.get("approvers"))
    for override in _tables(record.get("overrides")):
        yield from _texts([override.get("approver")])
    for ruleset in _tables(record.get("rulesets")):
        yield from _texts(ruleset.get("approvers"))


def _controls(controls: object) -> Iterator[str]:
    for framework, names in _table(controls).items():
        yield framework
        yield from (f"{framework}:{name}" for name in _texts(names))


def _waiver(waiver: object) -> Iterator[str]:
    yield from _texts([_table(waiver).get(part) for part in ("rule", "owner", "ticket", "source")])


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _tables(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


# --- Times as a person asks for them: absolute, a day, or so long ago.


_AGO = re.compile(r"(\d{1,6})([smhdw])", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_FRACTION = re.compile(r"\.(\d+)", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_moment(text: str, now: dt.datetime, *, end: bool = False) -> str:
    """Give ``text`` as a record's ``time``: RFC 3339, UTC, six decimals.

    Understands RFC 3339 (``2026-01-31T12:00:00Z``), a day in UTC (its beginning, or with ``end``
    its last microsecond), and an age before ``now``: ``30m``, ``24h``, ``7d``, ``2w``. Raises
    ``UsageError`` for anything else.
    """
    text = text.strip()
    try:
        if ago := _AGO.fullmatch(text):
            return timestamp(now - dt.timedelta(**{_UNITS[ago[2]]: int(ago[1])}))
        if _DAY.fullmatch(text):
            day = dt.datetime.fromisoformat(text).replace(tzinfo=dt.timezone.utc)
            last = dt.timedelta(days=1, microseconds=-1)
            return timestamp(day + last if end else day)
        # Python 3.10 reads fractions of three or six digits alone, and no "Z".
        whole = _FRACTION.sub(lambda digits: f".{digits[1][:6]:0<6}", text)
        moment = dt.datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", whole))
        if moment.tzinfo is not None:
            return timestamp(moment)
    except (ValueError, OverflowError):
        pass
    raise UsageError(
        f"The time {text!r} cannot be understood.",
        hint="Write it as 2026-01-31T12:00:00Z, as a day (2026-01-31), or as an age (24h, 7d).",
    )
