"""A plan: typed, lazy, checked."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from tfgate.plan import counting
from tfgate.plan.configuration import configuration_address
from tfgate.plan.decoding import decode_value
from tfgate.plan.variables import redacted_values, variable_values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from msgspec import Raw

    from tfgate.plan.change import Change
    from tfgate.plan.configuration import Configuration
    from tfgate.plan.digest import Digest
    from tfgate.plan.invocation import Invocation
    from tfgate.plan.joins import Joins
    from tfgate.plan.leaving import Leaving
    from tfgate.plan.output import OutputChange
    from tfgate.plan.subject import Subject
    from tfgate.plan.top import Top
    from tfgate.plan.written import Written


class Plan:
    """What Terraform would do, read from plan JSON by `tfgate.plan.read_plan`."""

    format_version: str
    warnings: tuple[str, ...]
    """What a person should know, as a newer minor version of the format."""
    configuration: Configuration
    changes: Sequence[Change]
    """``resource_changes``, in the plan's order."""
    drift: Sequence[Change]
    """``resource_drift``: what changed outside of Terraform."""
    deferred: Sequence[Change]
    """``deferred_changes``: what this plan leaves for a later one."""
    outputs: Mapping[str, OutputChange]
    """``output_changes`` of the root module, by name."""
    actions: Sequence[Invocation]
    """``action_invocations``."""
    deferred_actions: Sequence[Invocation]
    """``deferred_action_invocations``."""
    terraform_version: str | None
    timestamp: str | None
    complete: bool | None
    """False if the apply leaves something out (targeting, deferral); None before 1.8."""
    applyable: bool | None
    """False if there is nothing to apply, or it must not be; None before 1.7."""
    errored: bool

    def __init__(self, top: Top, digest: Digest, **parts: Any) -> None:
        """Take what `tfgate.plan.reading` has read: one part for each annotation above."""
        self._top = top
        self._digest = digest
        for name, part in parts.items():
            setattr(self, name, part)

    @property
    def json_sha256(self) -> str:
        """SHA-256, in hexadecimal digits, of the bytes as they were given."""
        return self._digest.hex()

    def use_sources(self, written: Written) -> None:
        """Take the sources of the plan: they say what its JSON has lost of expressions.

        To be called before anything is asked. They must be the plan's own, as those that its file
        carries: whoever can change them later could make a possible reference a certain one.
        """
        marks: dict[str, list[Raw]] = {}
        for change in self.changes:
            if change.deposed is None:
                address = configuration_address(change)
                marks.setdefault(address, []).append(change.body.after_unknown)
        self.configuration.use(written, marks)

    @cached_property
    def checks(self) -> list[Any]:
        """Results of checks and conditions, as in the plan: they hold no values."""
        return decode_value(self._top.checks, "checks") or []

    @cached_property
    def relevant_attributes(self) -> list[Any]:
        """Attributes that the plan depends on: ``{"resource": …, "attribute": […]}``."""
        return decode_value(self._top.relevant_attributes, "relevant_attributes") or []

    def variables(self) -> dict[str, Any]:
        """The root module's variables by name: secret ones included."""
        return variable_values(self._top.variables)

    def redacted_variables(self) -> dict[str, Any]:
        """The same with `SENSITIVE` for sensitive ones, and for all without a configuration."""
        return redacted_values(self.variables(), self.configuration)

    def counts(self) -> dict[str, int]:
        """Count resource changes per action, and imports, moves, drift and deferred changes."""
        return dict(self._counts)

    @cached_property
    def _counts(self) -> dict[str, int]:
        return counting.counts(self)

    def counts_by_type(self) -> dict[str, dict[str, int]]:
        """Count resource changes per type and action."""
        return counting.counts_by_type(self)

    def references(self, subject: Subject, argument: str | None = None) -> Any:
        """List the configuration addresses that the subject's block refers to, sorted.

        ``argument`` is a dotted path of arguments (list steps left out); all of them without one.
        References are followed through variables and outputs of modules. One is certain where the
        sources show that the argument only points at it, or where the argument's value is its name;
        others are `Maybe`. What the JSON has lost (locals, dynamic blocks) is one more of them that
        stands for any number of addresses. Subjects without expressions give `UNKNOWN`.
        """
        return self._joins.references(subject, argument)

    def referenced_by(self, subject: Subject, pattern: str, *, redacted: bool = False) -> Any:
        """List the documents of resources whose type matches a glob and that refer to a change.

        Instances that the apply removes do not count. Doubt is shown as in `references`: an empty
        list is certain. Mentions in tags, labels and descriptions are no references.
        """
        return self._joins.referenced_by(subject, pattern, redacted=redacted)

    def configured(self, subject: Subject, argument: str) -> Any:
        """Say whether the subject's own block sets an argument or has such a nested block.

        True, False, or `UNKNOWN` where a dynamic block may have made it. A constant null sets
        nothing. ``count``, ``for_each``, ``depends_on``, ``provider`` and ``provisioner`` count as
        arguments.
        """
        return self._joins.configured(subject, argument)

    def left_to_provider(self, subject: Subject, argument: str) -> Any:
        """Say whether the subject's block leaves the argument at a dotted path to the provider.

        True, False, or `UNKNOWN` where the value is not known and the plan has no block to look at.
        A ``dynamic`` block whose ``for_each`` is not known yet makes it `UNKNOWN` where the sources
        show the block. Plan JSON alone does not tell it from one that nobody wrote: it counts as
        such there, as long as the plan does not show its content.
        """
        return self._leaving.left(subject, argument)

    @cached_property
    def _leaving(self) -> Leaving:
        from tfgate.plan.leaving import Leaving  # few rules ask

        return Leaving(self.configuration)

    @cached_property
    def _joins(self) -> Joins:
        # Imported here for the cost: most rulesets join nothing.
        from tfgate.plan.joins import Joins

        return Joins(self)
