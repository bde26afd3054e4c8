"""Receipts as the standards have them: an in-toto statement with a SLSA verification summary.

Specifications: in-toto Statement v1 (https://github.com/in-toto/attestation, spec/v1/statement.md)
and https://slsa.dev/verification_summary/v1. Both have readers ignore members they do not know, so
these types do; what only tfgate says stands in one extension member, whose name is a URI.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from tfgate.audit.record import canonical, neutralise
from tfgate.gate.request import Gathered
from tfgate.model.approval import Moment

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/verification_summary/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
VERIFIER = "tfgate:gate"
POLICY = "tfgate:policy"
EXTENSION = "tfgate:receipt/v1"
ALLOWED = "TFGATE_ALLOWED"
"""In ``verifiedLevels``; names that begin with ``SLSA_`` are the specification's own."""


class Subject(msgspec.Struct, frozen=True):
    """An artifact that was evaluated, by its digest (SHA-256 in hex)."""

    name: str
    digest: dict[str, str]


class Verifier(msgspec.Struct, frozen=True):
    """Who evaluated."""

    id: str
    version: dict[str, str] = {}


class Ruleset(msgspec.Struct, frozen=True):
    """A ruleset in force."""

    id: str
    version: str
    digest: str
    """``sha256:…`` over its files."""


class Annotations(msgspec.Struct, frozen=True):
    """What the policy consists of."""

    rulesets: tuple[Ruleset, ...]


class Policy(msgspec.Struct, frozen=True):
    """What was evaluated by; ``digest`` is over all of it (``tfgate.gate.statement``)."""

    uri: str
    digest: dict[str, str]
    annotations: Annotations


class InputAttestation(msgspec.Struct, frozen=True):
    """An approval that the decision rests on."""

    uri: str
    digest: dict[str, str]


class Place(msgspec.Struct, frozen=True):
    """The workspace and its state."""

    name: str
    backend: str | None
    identity: dict[str, str]
    config_sha256: str | None = None


class Who(msgspec.Struct, frozen=True):
    """The operator."""

    name: str
    source: str
    verified: bool


class TrailRecord(msgspec.Struct, frozen=True):
    """The decision's record in the audit trail."""

    seq: int
    hash: str


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What only tfgate says."""

    decision_id: str
    undecided: bool
    workspace: Place
    operator: Who
    record: TrailRecord
    plan_json_sha256: str
    configuration: tuple[dict[str, str], ...]
    """``{"file": …, "sha256": …}`` of each file the configuration was read from."""
    commit: str | None
    """Of the configuration that was planned."""
    run: str | None
    """URL of the CI run."""
    expires: Moment


class Summary(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename={
        "time_verified": "timeVerified",
        "resource_uri": "resourceUri",
        "input_attestations": "inputAttestations",
        "verification_result": "verificationResult",
        "verified_levels": "verifiedLevels",
        "slsa_version": "slsaVersion",
        "facts": EXTENSION,
    },
):
    """The predicate."""

    verifier: Verifier
    time_verified: Moment
    resource_uri: str
    policy: Policy
    input_attestations: tuple[InputAttestation, ...] = ()
    verification_result: str
    verified_levels: tuple[str, ...]
    slsa_version: str = "1.0"
    facts: Facts


class Statement(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename={"type": "_type", "predicate_type": "predicateType"},
):
    """The statement."""

    type: str = STATEMENT
    subject: tuple[Subject, ...]
    predicate_type: str = PREDICATE
    predicate: Summary


def policy_digest(gathered: Gathered) -> str:
    """Return the SHA-256 (hex) of the RFC 8785 form of all that decides, except the plan.

    Equal exactly where rulesets, data files, levels, parameters, waivers of files and settings of
    ``[gate]`` are, whatever files they were read from.
    """
    return hashlib.sha256(canonical(neutralise(_policy(gathered)))).hexdigest()


def rulesets_of(gathered: Gathered) -> list[dict[str, str]]:
    """Return id, version and digest of each ruleset in force, by id."""
    return [
        {"id": ruleset.id, "version": ruleset.version, "digest": ruleset.digest}
        for ruleset in sorted(gathered.effective.rulesets, key=lambda ruleset: ruleset.id)
    ]


def _policy(gathered: Gathered) -> dict[str, Any]:
    config, effective = gathered.config, gathered.effective
    return {
        "rulesets": rulesets_of(gathered),
        "data": {
            ruleset: {name: file.sha256 for name, file in files.items()}
            for ruleset, files in effective.data.items()
        },
        "levels": dict(effective.levels),
        "params": {ruleset: dict(values) for ruleset, values in effective.params.items()},
        "waivers": [msgspec.to_builtins(waiver) for waiver in config.waivers],
        "evaluate": config.gate.evaluate.value,
        "allow_empty": config.gate.allow_empty,
        "uncommitted_waivers": config.gate.uncommitted_waivers,
        "comment_waivers": sorted(level.value for level in frozenset(config.gate.comment_waivers)),
    }
