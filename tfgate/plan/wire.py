"""Changes as msgspec structs: what is decoded at once, and what stays bytes.

Follows the JSON Output Format (developer.hashicorp.com/terraform/internals/json-format) and, where
that page is silent, Terraform's ``internal/command/jsonplan``. Unknown properties are ignored, as
the format asks of readers. Whatever may be large or secret is a `msgspec.Raw`: a view into the
plan's bytes that costs nothing until somebody decodes it.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Raw

LONGEST_NAME: Final = 16_384
"""Characters of the longest address, type, name or key: it stands in every finding, in every report
and in the record. Terraform's own are below 1,000, unless somebody wishes otherwise."""
Name = Annotated[str, msgspec.Meta(max_length=LONGEST_NAME)]

ABSENT: Final = Raw(b"")
"""Stands for a property that the plan does not have (null would be ``b"null"``)."""


class Body(msgspec.Struct, gc=False, omit_defaults=True):
    """A "change representation": the ``change`` of a resource, or an output's whole entry.

    Encoding one again gives the bytes it was read from, unless those had white space, escapes,
    another order, unknown or repeated keys (`tfgate.plan.repeated` relies on it).
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


class Entry(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True, eq=False):
    """A resource change as the format has it, the fields in the order Terraform writes them."""

    address: Name = ""
    """Some plans of Terraform 1.0 have drift without it (hashicorp/terraform 28975); the reader
    makes it from the parts then."""
    previous_address: Name | None = None
    _module: Name | None = msgspec.field(default=None, name="module_address")
    mode: str = ""
    type: Name = ""
    name: Name = ""
    index: int | Name | None = None
    """The ``count`` or ``for_each`` key of the instance."""
    index_unknown: bool | None = None
    """True for a deferred instance whose key is not known yet."""
    _provider: Name | None = msgspec.field(default=None, name="provider_name")
    deposed: Name | None = None
    body: Body = msgspec.field(name="change")
    action_reason: Name | None = None
