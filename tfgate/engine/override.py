"""Approvals on a decision: which count, and which outcomes they let through. Pure.

Signatures are checked before; what is left to ask is whether an approval is about this decision,
still holds, and is somebody else's than the operator's and the author's. A hard-mandatory outcome
and an error never yield (docs/approvals.md).
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from tfgate.engine.decide import decide
from tfgate.model.approval import ApprovalStatement, ApprovedFinding, ApprovedWorkspace
from tfgate.model.decision import Approval, Decision, Outcome, OutcomeKind, Override
from tfgate.model.rule import Enforcement
from tfgate.model.text import glob_matches, is_printable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence


# --- Whether two names mean one person, as far as names can tell.
#
# Names come from many places: principals of an allowed-signers file, logins of a CI system,
# addresses of commits. Where two could be the same person they are taken to be: the rules that ask
# this refuse somebody's approval of their own work, and refusing is the side to err on.


_REPLACED: Final = "\ufffd"
"""Stands in names that were cleaned where a character was that shows nothing."""
_DOTS: Final = str.maketrans({"\u3002": ".", _REPLACED: None})
"""The ideographic full stop is a dot in the names of domains (UTS 46)."""


def spelling(name: str) -> str:
    """Return a name as it is compared: two that a reader cannot tell apart are written alike.

    That is in Unicode's compatibility form (NFKC), without case, without characters that show
    nothing, with single spaces, and without dots at its end. Letters of other alphabets that look
    alike stay different.
    """
    if name.isascii() and name.isprintable():
        return " ".join(name.casefold().split()).rstrip(". ")
    name = "".join(char for char in name if char.isspace() or is_printable(char))
    # Case folding may undo the form, and the form the folding.
    for _ in range(2):
        name = unicodedata.normalize("NFKC", name).casefold()
    name = "".join(char for char in name.translate(_DOTS) if char.isspace() or is_printable(char))
    return " ".join(unicodedata.normalize("NFKC", name).split()).rstrip(". ")


def same_person(one: str, other: str) -> bool:
    """Whether two names may be one person's.

    They are compared in their `spelling`; ``alice+tf@acme.example`` is ``alice@acme.example``; a
    login (``alice``) may be the owner of any address that begins with it. Addresses in different
    domains are different people. Addresses that GitHub and GitLab make up
    (``12345+alice@users.noreply…``) are logins.
    """
    login, domain = _parts(one)
    other_login, other_domain = _parts(other)
    if login != other_login or not login:
        return False
    return domain == other_domain or not (domain and other_domain)


def any_same(names: Iterable[str], others: Collection[str]) -> str | None:
    """Return the first of ``others`` that may be the person behind one of ``names``."""
    for name in names:
        for other in others:
            if same_person(name, other):
                return other
    return None


def count_people(people: Sequence[Collection[str]]) -> int:
    """Count the people behind several sets of names; sets that share one are one person's."""
    groups: list[list[str]] = []
    for names in people:
        touching = [group for group in groups if any_same(names, group) is not None]
        merged = [*names, *(name for group in touching for name in group)]
        groups = [group for group in groups if group not in touching] + [merged]
    return len(groups)


def _parts(name: str) -> tuple[str, str]:
    """Split a name into login and domain, both in the spelling to compare; a login has none."""
    login, at, domain = spelling(name).rpartition("@")
    if not at:
        return domain, ""
    if domain == "users.noreply.github.com":
        login, domain = login.rpartition("+")[2], ""
    elif domain == "users.noreply.gitlab.com":
        login, domain = login.partition("-")[2] or login, ""
    else:
        login, domain = login.partition("+")[0], domain.strip(" ")
    return login.rstrip(". "), domain


SKEW = dt.timedelta(minutes=5)
"""How far another machine's clock may be ahead."""

_YIELDS = frozenset({OutcomeKind.FAIL, OutcomeKind.UNKNOWN})
"""An ``error`` does not yield: nobody can approve what no rule has said."""


class SignedApproval(NamedTuple):
    """An approval whose signature is good."""

    statement: ApprovalStatement
    approval: Approval
    name: str
    """The file, for messages."""

    @property
    def findings(self) -> frozenset[ApprovedFinding]:
        """What was approved."""
        return frozenset(self.statement.request.findings)


class Need(NamedTuple):
    """What it takes to let a rule's outcome through."""

    people: int = 1
    roles: frozenset[str] = frozenset()
    """Of each, one of the people must have it."""


class ApprovalTerms(NamedTuple):
    """What the gate asks of approvals."""

    now: dt.datetime
    bind_to_plan: bool = True
    """Whether an approval is good for its own plan alone, whatever it says itself."""
    longest: dt.timedelta = dt.timedelta(hours=72)
    """How long after it was signed an approval holds at most."""
    authors: tuple[str, ...] = ()
    """Who wrote the change, as far as known now."""
    roles: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    """Role → globs over principals."""
    need: Callable[[str], Need] = lambda _rule: Need()
    """What a rule (by id) needs."""


def apply_overrides(
    decision: Decision, approvals: Sequence[SignedApproval], terms: ApprovalTerms
) -> Decision:
    """Return the decision with the outcomes let through that enough people have approved.

    Why an approval does not count, and what is missing where there are too few, is said in its
    warnings. A decision that was due to nothing being evaluated stays as it is.
    """
    warnings: list[str] = []
    counting: list[SignedApproval] = []
    for signed in approvals:
        why = refusal(signed, decision, terms)
        if why is None:
            counting.append(signed)
        else:
            warnings.append(f"The approval {signed.name} does not count: {why}.")
    pass_on = _Override(counting, terms)
    outcomes = tuple(pass_on.apply(outcome) for outcome in decision.outcomes)
    warnings += pass_on.warnings()
    changed = msgspec.structs.replace(
        decision, outcomes=outcomes, warnings=(*decision.warnings, *warnings)
    )
    if decision.undecided:
        return changed
    # Something was evaluated, or nothing had to be: the decision would be undecided otherwise.
    verdict, reasons, _ = decide(outcomes, evaluated=1, allow_empty=True)
    return msgspec.structs.replace(changed, verdict=verdict, reasons=reasons)


def may_be_overridden(outcome: Outcome) -> bool:
    """Whether approvals can let a blocking outcome through."""
    soft = outcome.enforcement is Enforcement.SOFT_MANDATORY
    return outcome.blocks and soft and outcome.outcome in _YIELDS


def refusal(signed: SignedApproval, decision: Decision, terms: ApprovalTerms) -> str | None:
    """Return, in a clause, why an approval does not count; ``None`` where it does."""
    return (
        _refused_in_time(signed.statement, terms)
        or _refused_as_other(signed.statement, decision, terms)
        or _refused_in_person(signed, decision, terms)
    )


def _refused_in_time(statement: ApprovalStatement, terms: ApprovalTerms) -> str | None:
    if statement.approved > terms.now + SKEW:
        return f"it says it was made in the future ({_minute(statement.approved)})"
    end = min(statement.expires, statement.approved + terms.longest)
    return f"it held until {_minute(end)}" if end < terms.now else None


def _refused_as_other(
    statement: ApprovalStatement, decision: Decision, terms: ApprovalTerms
) -> str | None:
    request, plan = statement.request, decision.plan
    if request.workspace != ApprovedWorkspace.of(decision.workspace):
        return "it is for another workspace, or for another state"
    if request.bind == "findings" and not terms.bind_to_plan:
        return None
    if plan.file_sha256 is not None:
        same = request.plan.file_sha256 == plan.file_sha256
    else:
        same = request.plan.json_sha256 == plan.json_sha256
    return None if same else "it is for another plan"


def _refused_in_person(
    signed: SignedApproval, decision: Decision, terms: ApprovalTerms
) -> str | None:
    request = signed.statement.request
    if decision.operator.source == "none":
        return "it is not known who the operator is, who must be somebody else"
    return refused_person(
        signed.approval.principals,
        operators=(decision.operator.name, request.operator),
        authors=(*terms.authors, *request.authors),
    )


def refused_person(
    names: Sequence[str], *, operators: Collection[str], authors: Collection[str]
) -> str | None:
    """Return, in a clause, why who has all of ``names`` cannot approve; ``None`` if they can."""
    if any(mark in name for name in names for mark in "*?!"):
        return "the allowed signers file gives its key a pattern, and no name"
    if any_same(names, operators) is not None:
        return f"{names[0]} is the operator, and nobody approves their own apply"
    if any_same(names, authors) is not None:
        return f"{names[0]} wrote the change, and nobody approves their own"
    return None


class _Override:
    """Lets outcomes through, and remembers what it could not."""

    def __init__(self, approvals: Sequence[SignedApproval], terms: ApprovalTerms) -> None:
        self._approvals = [(signed.findings, signed.approval) for signed in approvals]
        self._terms = terms
        self._lacking: dict[str, list[str]] = {}
        """Sentence on a rule → addresses it is true of."""

    def apply(self, outcome: Outcome) -> Outcome:
        """Return the outcome, let through where enough people have approved it."""
        if not outcome.blocks or not self._approvals:
            return outcome
        seen = ApprovedFinding.of(outcome)
        approvals = tuple(approval for findings, approval in self._approvals if seen in findings)
        if not approvals:
            return outcome
        if not may_be_overridden(outcome):
            kind = "an error" if outcome.outcome is OutcomeKind.ERROR else outcome.enforcement
            self._lack(f"{outcome.rule} is {kind}, which no approval lets through", outcome)
            return outcome
        lacking = self._missing(outcome.rule, approvals)
        if lacking is not None:
            self._lack(f"{outcome.rule} {lacking}", outcome)
            return outcome
        return msgspec.structs.replace(outcome, blocks=False, override=Override(approvals))

    def _missing(self, rule: str, approvals: Sequence[Approval]) -> str | None:
        """Return what is missing to let an outcome of ``rule`` through."""
        known = {role for each in approvals for role in each.roles}
        people = [each.person for each in approvals]
        return missing_people(self._terms.need(rule), people, self._terms.roles, known)

    def _lack(self, sentence: str, outcome: Outcome) -> None:
        self._lacking.setdefault(sentence, []).append(outcome.address)

    def warnings(self) -> Iterator[str]:
        """Return what was approved and not let through, one sentence a rule and reason."""
        for sentence, addresses in self._lacking.items():
            more = f" and {len(addresses) - 1} more" if len(addresses) > 1 else ""
            yield f"{sentence} ({addresses[0]}{more})."


def missing_people(
    need: Need,
    people: Sequence[Sequence[str]],
    roles: Mapping[str, Sequence[str]],
    known: Collection[str] = (),
) -> str | None:
    """Return, in a clause, what ``people`` (the names and key of each) lack to satisfy ``need``.

    ``roles`` are globs over names; ``known`` are roles that one of the people has for certain.
    """
    count = count_people(people)
    if count < need.people:
        return f"has {count} of {need.people} approvals"
    names = [name for each in people for name in each]
    for role in sorted(need.roles.difference(known)):
        globs = roles.get(role, ())
        if not any(glob_matches(glob, name) for glob in globs for name in names):
            return f"needs an approval by somebody with the role {role}"
    return None


def strictest(needs: Iterable[Need]) -> Need:
    """Return the need that satisfies all of ``needs``."""
    people, roles = 1, frozenset[str]()
    for need in needs:
        people, roles = max(people, need.people), roles | need.roles
    return Need(people, roles)


def _minute(moment: dt.datetime) -> str:
    try:
        return f"{moment.astimezone(dt.timezone.utc):%Y-%m-%d %H:%M} UTC"
    except OverflowError:  # the end of the calendar, in another time zone
        return moment.isoformat()
