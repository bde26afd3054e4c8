"""The plan format as msgspec structs: what is decoded at once, and what stays bytes.

Follows the JSON Output Format (developer.hashicorp.com/terraform/internals/json-format) and, where
that page is silent, Terraform's ``internal/command/jsonplan``. Unknown properties are ignored, as
the format asks of readers. Whatever may be large or secret is a `msgspec.Raw`: a view into the
plan's bytes that costs nothing until somebody decodes it.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Raw

ABSENT: Final = Raw(b"")
"""Stands for a property that the plan does not have (null would be ``b"null"``)."""


class Top(msgspec.Struct, gc=False):
    """A whole plan. Only ``resource_changes`` is split, into one `Raw` an element."""

    format_version: Raw = ABSENT
    terraform_version: Raw = ABSENT
    variables: Raw = ABSENT
    planned_values: Raw = ABSENT
    resource_drift: Raw = ABSENT
    resource_changes: list[Raw] | None = None
    deferred_changes: Raw = ABSENT
    deferred_action_invocations: Raw = ABSENT
    output_changes: Raw = ABSENT
    action_invocations: Raw = ABSENT
    prior_state: Raw = ABSENT
    configuration: Raw = ABSENT
    relevant_attributes: Raw = ABSENT
    checks: Raw = ABSENT
    timestamp: Raw = ABSENT
    applyable: Raw = ABSENT
    complete: Raw = ABSENT
    errored: Raw = ABSENT


class Body(msgspec.Struct, gc=False, omit_defaults=True):
    """A "change representation": the ``change`` of a resource, or an output's whole entry.

    Encoding one again gives as many bytes as it was read from, unless those had white space,
    escapes, unknown or repeated keys (`tfgate.plan.repeated.check_entries` relies on it).
    """

    actions: tuple[str, ...]
    before: Raw = ABSENT
    after: Raw = ABSENT
    after_unknown: Raw = ABSENT
    before_sensitive: Raw = ABSENT
    after_sensitive: Raw = ABSENT
    replace_paths: Raw = ABSENT
    importing: Raw = ABSENT
    generated_config: Raw = ABSENT
    before_identity: Raw = ABSENT
    after_identity: Raw = ABSENT
