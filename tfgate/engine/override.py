"""Approvals on a decision: which count, and which outcomes they let through. Pure.

Signatures are checked before; what is left to ask is whether an approval is about this decision,
still holds, and is somebody else's than the operator's and the author's. A hard-mandatory outcome
yields to broken glass alone, and an error to nothing (docs/approvals.md).
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import msgspec

from tfgate.engine.decide import decide
from tfgate.model.approval import ApprovalStatement, ApprovedFinding, ApprovedWorkspace
from tfgate.model.decision import Approval, Decision, Operator, Outcome, OutcomeKind, Override
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
"""Stands in names where a character was that shows nothing."""
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
    (``12345+alice@users.noreply…``) are logins, and so is ``alice@github``: no mail goes there.
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
    return login.rstrip(". "), domain if "." in domain else ""


_NAMES = ("actor", "user_login", "user_email", "email", "preferred_username", "upn", "login")
"""Claims that name a person, in the tokens of the systems that tfgate knows."""


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


class ReviewTerms(NamedTuple):
    """Whose reviews in a system count."""

    issuer: str
    repositories: tuple[str, ...]
    teams: frozenset[str]
    code_owners: bool = False


class GlassTerms(NamedTuple):
    """Who may let hard-mandatory failures through in an emergency."""

    approvers: tuple[str, ...]
    """Globs over names, ``team:NAME`` and ``role:NAME``."""
    rules: tuple[str, ...]
    longest: dt.timedelta


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
    reviews: Mapping[str, ReviewTerms] = MappingProxyType({})
    """``github``, ``gitlab`` → whose reviews there count."""
    glass: GlassTerms | None = None


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
    pass_on = _Override(counting, decision, terms)
    outcomes = tuple(pass_on.apply(outcome) for outcome in decision.outcomes)
    warnings += pass_on.warnings()
    changed = msgspec.structs.replace(
        decision, outcomes=outcomes, warnings=(*decision.warnings, *warnings)
    )
    if decision.undecided:
        return changed
    # Something was evaluated, or nothing had to be: the decision would be undecided otherwise.
    verdict, reasons, _ = decide(outcomes, evaluated=1, allow_empty=True)
    broken = tuple(_broken(changed.broken_glass))
    return msgspec.structs.replace(changed, verdict=verdict, reasons=(*broken, *reasons))


def _broken(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Say of each rule that yielded to broken glass where it did, and by whom and why."""
    for rule in dict.fromkeys(outcome.rule for outcome in outcomes):
        those = [outcome for outcome in outcomes if outcome.rule == rule]
        approvals = those[0].override.approvals if those[0].override else ()
        people = " and ".join(f"{each.approver} ({each.reason})" for each in approvals)
        more = f" and {len(those) - 1} more" if len(those) > 1 else ""
        level = those[0].enforcement
        yield f"BREAK GLASS: {rule} ({level}) on {those[0].address}{more} let through by {people}."


def _let_through(outcome: Outcome, override: Override) -> Outcome:
    return msgspec.structs.replace(outcome, blocks=False, override=override)


def may_break_glass(outcome: Outcome, rules: Sequence[str]) -> bool:
    """Whether two people can let a blocking outcome through in an emergency; an error never."""
    if not outcome.blocks or outcome.outcome not in _YIELDS:
        return False
    soft = outcome.enforcement is Enforcement.SOFT_MANDATORY
    return soft or any(glob_matches(glob, outcome.rule) for glob in rules)


def may_be_overridden(outcome: Outcome) -> bool:
    """Whether approvals can let a blocking outcome through."""
    soft = outcome.enforcement is Enforcement.SOFT_MANDATORY
    return outcome.blocks and soft and outcome.outcome in _YIELDS


def refusal(signed: SignedApproval, decision: Decision, terms: ApprovalTerms) -> str | None:
    """Return, in a clause, why an approval does not count; ``None`` where it does."""
    return (
        _refused_in_time(signed.statement, terms)
        or _refused_as_other(signed.statement, decision, terms)
        or _refused_as_review(signed.statement, decision, terms)
        or _refused_in_person(signed, decision, terms)
    )


def _refused_in_time(statement: ApprovalStatement, terms: ApprovalTerms) -> str | None:
    if statement.approved > terms.now + SKEW:
        return f"it says it was made in the future ({_minute(statement.approved)})"
    longest = terms.longest
    if statement.request.break_glass and terms.glass is not None:
        longest = min(longest, terms.glass.longest)
    end = min(statement.expires, statement.approved + longest)
    return f"it held until {_minute(end)}" if end < terms.now else None


def _refused_as_other(
    statement: ApprovalStatement, decision: Decision, terms: ApprovalTerms
) -> str | None:
    request, plan = statement.request, decision.plan
    if request.workspace != ApprovedWorkspace.of(decision.workspace):
        return "it is for another workspace, or for another state"
    if request.bind == "findings" and not terms.bind_to_plan and not request.break_glass:
        return None
    if plan.file_sha256 is not None:
        same = request.plan.file_sha256 == plan.file_sha256
    else:
        same = request.plan.json_sha256 == plan.json_sha256
    return None if same else "it is for another plan"


def _refused_as_review(
    statement: ApprovalStatement, decision: Decision, terms: ApprovalTerms
) -> str | None:
    """Ask what whoever signed for a reviewer asked, by this gate's own configuration."""
    approver, run = statement.approver, decision.run
    if isinstance(approver, msgspec.UnsetType) or isinstance(approver.review, msgspec.UnsetType):
        return None
    review = approver.review
    counted = terms.reviews.get(review.system)
    if counted is None:
        return f"this gate counts no reviews on {review.system}"
    if approver.issuer != counted.issuer:
        return f"it is a review on {approver.issuer}, and those on {counted.issuer} count"
    if not any(glob_matches(glob, review.repository) for glob in counted.repositories):
        return f"reviews in the repository {review.repository} do not count"
    if counted.teams.isdisjoint(review.teams) and not (counted.code_owners and review.code_owner):
        return f"{approver.names[0]} is in no team whose reviews count"
    commit = statement.request.commit
    if commit is None or review.commit != commit:
        return "it is not known to be a review of the commit that was planned"
    if run is not None and run.commit is not None and (run.commit != commit or run.dirty):
        return "it is a review of another commit than is checked out here"
    return None


def _refused_in_person(
    signed: SignedApproval, decision: Decision, terms: ApprovalTerms
) -> str | None:
    request = signed.statement.request
    if decision.operator.source == "none":
        return "it is not known who the operator is, who must be somebody else"
    if request.break_glass:
        return refused_at_glass(signed.approval, terms.glass)
    return _refused_as_known(signed, decision, terms)


def _refused_as_known(
    signed: SignedApproval, decision: Decision, terms: ApprovalTerms
) -> str | None:
    """Compare the approver with the operator, by identity where both are proven, and the author."""
    operator, approval, request = decision.operator, signed.approval, signed.statement.request
    same_key = not approval.subject and operator.verified and approval.key == operator.key_id
    identity = (approval.issuer, approval.subject)
    if same_key or (approval.subject and identity == (operator.issuer, operator.subject)):
        return f"{approval.approver} is the operator, and nobody approves their own apply"
    return refused_person(
        approval.principals,
        operators=(*operator_names(operator), request.operator),
        authors=(*terms.authors, *request.authors),
    )


def operator_names(operator: Operator) -> tuple[str, ...]:
    """Return every name of the operator: of a proven one, those that its claims have as well."""
    known = [operator.claims.get(claim) for claim in _NAMES]
    if operator.source == "ssh" and isinstance(listed := operator.claims.get("principals"), tuple):
        known += listed
    return (operator.name, *(name for name in known if isinstance(name, str) and name))


def refused_at_glass(approval: Approval, glass: GlassTerms | None) -> str | None:
    """Return, in a clause, why somebody may not break the glass; ``None`` if they may.

    Operator and author may, if the other of the two is neither.
    """
    if glass is None:
        return "this gate has no [approvals.break_glass]"
    if any(glob_matches(glob, mark) for glob in glass.approvers for mark in approval.marks):
        return refused_person(approval.principals, operators=(), authors=())
    return f"{approval.approver} is not among those who may break the glass"


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

    def __init__(
        self, approvals: Sequence[SignedApproval], decision: Decision, terms: ApprovalTerms
    ) -> None:
        self._approvals = [(signed.findings, signed) for signed in approvals]
        self._decision = decision
        self._terms = terms
        self._lacking: dict[str, list[str]] = {}
        """Sentence on a rule → addresses it is true of."""

    def apply(self, outcome: Outcome) -> Outcome:
        """Return the outcome, let through where enough people have approved it."""
        if not outcome.blocks or not self._approvals:
            return outcome
        seen = ApprovedFinding.of(outcome)
        fitting = [signed for findings, signed in self._approvals if seen in findings]
        if not fitting:
            return outcome
        kept = [signed for signed in fitting if not signed.statement.request.break_glass]
        glass = [signed for signed in fitting if signed.statement.request.break_glass]
        lacking = self._missing(outcome, kept)
        if lacking is not None and glass and self._missing_at_glass(outcome, glass) is None:
            approvals = tuple(signed.approval for signed in glass)
            return _let_through(outcome, Override(approvals, break_glass=True))
        if lacking is not None:
            lacking = self._missing_at_glass(outcome, glass) if glass and not kept else lacking
            self._lack(f"{outcome.rule} {lacking}", outcome)
            return outcome
        return _let_through(outcome, Override(tuple(signed.approval for signed in kept)))

    def _missing(self, outcome: Outcome, approvals: Sequence[SignedApproval]) -> str | None:
        """Return what is missing to let an outcome through."""
        if not may_be_overridden(outcome):
            kind = "an error" if outcome.outcome is OutcomeKind.ERROR else outcome.enforcement
            return f"is {kind}, which no approval lets through"
        need, roles = self._terms.need(outcome.rule), self._terms.roles
        known = {role for signed in approvals for role in signed.approval.roles}
        return missing_people(need, [signed.approval for signed in approvals], roles, known)

    def _missing_at_glass(self, outcome: Outcome, signed: Sequence[SignedApproval]) -> str | None:
        """Return what is missing to let an outcome through broken glass."""
        glass = self._terms.glass
        if glass is None or not may_break_glass(outcome, glass.rules):
            return "is not among what broken glass lets through"
        people = [each.approval for each in signed]
        if missing := missing_people(Need(2), people, {}):
            return f"{missing} by those who may break the glass"
        if not any(self._is_second(each) for each in signed):
            return "needs one of two who break the glass to be neither operator nor author"
        return None

    def _is_second(self, signed: SignedApproval) -> bool:
        """Whether an approval is by somebody else than operator and author."""
        return _refused_as_known(signed, self._decision, self._terms) is None

    def _lack(self, sentence: str, outcome: Outcome) -> None:
        self._lacking.setdefault(sentence, []).append(outcome.address)

    def warnings(self) -> Iterator[str]:
        """Return what was approved and not let through, one sentence a rule and reason."""
        for sentence, addresses in self._lacking.items():
            more = f" and {len(addresses) - 1} more" if len(addresses) > 1 else ""
            yield f"{sentence} ({addresses[0]}{more})."


class Approver(Protocol):
    """Whoever approves, or may."""

    @property
    def person(self) -> tuple[str, ...]:
        """Everything that tells the approver from others."""

    @property
    def marks(self) -> tuple[str, ...]:
        """What the globs of the configuration find the approver by."""


def missing_people(
    need: Need,
    people: Sequence[Approver],
    roles: Mapping[str, Sequence[str]],
    known: Collection[str] = (),
) -> str | None:
    """Return, in a clause, what ``people`` lack to satisfy ``need``.

    ``roles`` are globs over their marks; ``known`` are roles that one of them has for certain.
    """
    count = count_people([each.person for each in people])
    if count < need.people:
        return f"has {count} of {need.people} approvals"
    marks = [mark for each in people for mark in each.marks]
    for role in sorted(need.roles.difference(known)):
        if not any(glob_matches(glob, mark) for glob in roles.get(role, ()) for mark in marks):
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
