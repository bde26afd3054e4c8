"""Who planned, approved and applied: separation of duties, out of records.

A person is proven by a token, a key or a signature, and claimed otherwise. Where two duties may be
one person's, that is reported: by issuer and subject, and by name as far as names show it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tfgate.engine.override import same_person
from tfgate.model.audit_report import DutiesRow, PersonRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tfgate.audit.search import Hit
    from tfgate.model.audit_report import DecisionRow

NOT_APPLIED = ("", "not applied")


def operator_row(fields: Mapping[str, Any]) -> PersonRow:
    """Return who asked for a decision, by its record."""
    facts = fields.get("operator_facts")
    facts = facts if isinstance(facts, dict) else {}
    issuer = str(facts.get("issuer") or "")
    return PersonRow(
        name=str(fields.get("operator") or ""),
        proven=facts.get("verified") is True,
        source=issuer or str(facts.get("source") or ""),
        subject=str(facts.get("subject") or ""),
    )


def approver_rows(fields: Mapping[str, Any]) -> tuple[PersonRow, ...]:
    """Return who has approved what was let through: proven, as they or others for them signed."""
    listed = fields.get("overrides")
    found = (item for item in listed if isinstance(item, dict)) if isinstance(listed, list) else ()
    rows = (
        PersonRow(
            name=str(item.get("approver") or ""),
            proven=True,
            source=str(item.get("issuer") or item.get("key") or ""),
            subject=str(item.get("subject") or ""),
        )
        for item in found
    )
    return tuple(dict.fromkeys(rows))


def planner_of(events: Sequence[Hit]) -> PersonRow | None:
    """Return who had the plan checked in another job, where a receipt says so; as claimed there."""
    for event in events:
        name = event.record.fields.get("receipt_operator")
        if event.record.event == "receipt_used" and isinstance(name, str):
            return PersonRow(name, proven=False, source="receipt")
    return None


def duty_rows(decisions: Sequence[tuple[DecisionRow, dict[str, Any]]]) -> list[DutiesRow]:
    """Return a row for each apply: broken glass first, then where two duties are one person's.

    Who planned is who had the plan checked first, as far as the records go.
    """
    first: dict[str, PersonRow] = {}
    rows = []
    for row, fields in decisions:
        applied = operator_row(fields)
        checked = first.setdefault(row.plan_sha256, applied) if row.plan_sha256 else applied
        if row.applied in NOT_APPLIED:
            continue
        planned = row.planned or checked
        approved = approver_rows(fields)
        rows.append(
            DutiesRow(
                ref=row.ref,
                decision_id=row.decision_id,
                time=row.time,
                workspace=row.workspace,
                applied=row.applied,
                planned_by=planned,
                approved_by=approved,
                applied_by=applied,
                break_glass=row.break_glass,
                same=tuple(_same(planned, approved, applied)),
            )
        )
    return sorted(rows, key=lambda row: (not row.break_glass, not row.same))


def _same(planned: PersonRow, approved: Sequence[PersonRow], applied: PersonRow) -> Iterator[str]:
    """Say which duties are one person's."""
    if _may_be_one(planned, applied):
        yield f"planned and applied: {applied.name}"
    for person in approved:
        if _may_be_one(person, applied):
            yield f"approved and applied: {person.name}"
        elif _may_be_one(person, planned):
            yield f"planned and approved: {person.name}"
    for number, person in enumerate(approved):
        if any(_may_be_one(person, other) for other in approved[:number]):
            yield f"approved twice: {person.name}"


def _may_be_one(one: PersonRow, other: PersonRow) -> bool:
    if one.subject and (one.source, one.subject) == (other.source, other.subject):
        return True
    return same_person(one.name, other.name)
