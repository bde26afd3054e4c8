"""A plan: typed, lazy, checked."""

from __future__ import annotations

from collections import Counter
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw

from tfgate.model.action import Action
from tfgate.plan.change import ABSENT, Change, action_named
from tfgate.plan.configuration import configuration_address
from tfgate.plan.decoding import Decoder, decode_as, decode_value
from tfgate.plan.values import names_secret, redact_named
from tfgate.query.values import SENSITIVE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from tfgate.plan.change import Context
    from tfgate.plan.configuration import Configuration, Variable
    from tfgate.plan.joins import Joins
    from tfgate.plan.other_changes import Invocation, OutputChange
    from tfgate.plan.pointing import Written
    from tfgate.plan.prior_state import PriorState
    from tfgate.plan.provider_defaults import Leaving
    from tfgate.plan.reading import Digest
    from tfgate.plan.subjects import Subject


# --- How much a plan does, in numbers.


def counts(plan: Plan) -> dict[str, int]:
    """Count managed and data changes per action (every action has a number, 0 included).

    Beside them ``import``, ``move`` (a previous address), ``drift`` and ``deferred``.
    """
    number: Counter[Action] = Counter()
    for actions, times in Counter([change.body.actions for change in plan.changes]).items():
        number[action_named(actions)] += times
    return {
        **{action.value: number[action] for action in Action},
        "import": sum(change.is_import for change in plan.changes),
        "move": sum(change.previous_address is not None for change in plan.changes),
        "drift": len(plan.drift),
        "deferred": len(plan.deferred),
    }


def counts_by_type(plan: Plan) -> dict[str, dict[str, int]]:
    """Count managed and data changes per type and action; what there is none of is absent."""
    spelt = Counter([(change.type, change.body.actions) for change in plan.changes])
    table: dict[str, dict[str, int]] = {}
    for (kind, actions), times in spelt.items():
        row = table.setdefault(kind, {})
        action = action_named(actions).value
        row[action] = row.get(action, 0) + times
    return table


# --- Values of the root module's variables, and which of them must not be shown.


class Given(msgspec.Struct, gc=False):
    """An entry of ``variables``; a variable whose value is null may have no ``value``."""

    value: Raw = ABSENT


_DECODER: Final[Decoder[dict[str, Given] | None]] = Decoder(dict[str, Given] | None)


def variable_values(raw: Raw) -> dict[str, Any]:
    """Decode ``variables`` into name → value."""
    given = (raw and decode_as(_DECODER, raw, "variables")) or {}
    return {
        name: decode_value(entry.value, f"variables.{name}.value") for name, entry in given.items()
    }


def redacted_values(values: dict[str, Any], configuration: Configuration) -> dict[str, Any]:
    """Redact the values of variables that are sensitive, or that are not known not to be.

    ``variables`` has no marks: a variable's sensitivity is in the configuration.
    """
    declared = configuration.root.variables or {}
    return {name: _shown(name, value, declared.get(name)) for name, value in values.items()}


def _shown(name: str, value: Any, declared: Variable | None) -> Any:
    if declared is None or declared.sensitive or names_secret(name):
        return SENSITIVE
    return redact_named(value)


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
    prior_context: Context
    """What the data sources in ``prior_state`` have in common."""
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
        self._data_sources: dict[frozenset[str] | None, list[Change]] = {}
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
        self.configuration.use(written, partial(_unknown_marks, self.changes))

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
        return counts(self)

    def counts_by_type(self) -> dict[str, dict[str, int]]:
        """Count resource changes per type and action."""
        return counts_by_type(self)

    @cached_property
    def prior(self) -> PriorState:
        """``prior_state``."""
        from tfgate.plan.prior_state import PriorState  # few rules ask

        return PriorState(self._top.prior_state, self.prior_context)

    @cached_property
    def resources(self) -> tuple[int, int]:
        """How many instances of managed resources there are, before the apply and after it."""
        from tfgate.plan.prior_state import count_resources  # few rules ask

        return count_resources(self.prior, self.changes)

    def data_sources(self, types: Collection[str] | None = None) -> Sequence[Change]:
        """Return the data sources that were read while the plan was made, of these type globs.

        Those that the apply will read are among the changes. None is for all types.
        """
        key = None if types is None else frozenset(types)
        if key not in self._data_sources:
            others = (*self.changes, *self.deferred)
            self._data_sources[key] = self.prior.data_sources(types, others, len(self.changes))
        return self._data_sources[key]

    def find(self, address: str, deposed: str | None = None) -> Change | None:
        """Find a change, or a data source that was read, by the address of the instance."""
        return self._joins.find(address, deposed)

    def references(
        self, subject: Subject, argument: str | None = None, *, redacted: bool = False
    ) -> Any:
        """List the documents of what the subject's block refers to, sorted by address.

        Each is that of a resource rule on the instance, ``module_variables`` left out, with
        ``certain`` beside it. ``argument`` is a dotted path of arguments (list steps left out); all
        of them without one. References are followed through variables and outputs of modules. One
        is certain where the sources show that the argument only points at the instance, or where
        the argument's value is its name; others are `Maybe`. What the JSON has lost (locals,
        dynamic blocks) is one more of them that stands for any number. An instance that the plan
        does not show has fields that are `UNKNOWN`. Subjects without expressions give `UNKNOWN`.
        """
        return self._joins.references(subject, argument, redacted=redacted)

    def referenced_by(self, subject: Subject, pattern: str, *, redacted: bool = False) -> Any:
        """List the documents of resources whose type matches a glob and that refer to a change.

        The documents and doubt are as in `references`: an empty list is certain. Instances that the
        apply removes do not count. Mentions in tags, labels and descriptions are no references.
        """
        return self._joins.referenced_by(subject, pattern, redacted=redacted)

    def configured(self, subject: Subject, argument: str) -> Any:
        """Whether the subject's own block sets an argument or has such a nested block.

        True, False, or `UNKNOWN` where a dynamic block may have made it. A constant null sets
        nothing. ``count``, ``for_each``, ``depends_on``, ``provider`` and ``provisioner`` count as
        arguments.
        """
        return self._joins.configured(subject, argument)

    def left_to_provider(self, subject: Subject, argument: str) -> Any:
        """Whether the subject's block leaves the argument at a dotted path to the provider.

        True, False, or `UNKNOWN` where the value is not known and the plan has no block to look at.
        A ``dynamic`` block whose ``for_each`` is not known yet makes it `UNKNOWN` where the sources
        show the block. Plan JSON alone does not tell it from one that nobody wrote: it counts as
        such there, as long as the plan does not show its content.
        """
        return self._leaving.left(subject, argument)

    @cached_property
    def _leaving(self) -> Leaving:
        from tfgate.plan.provider_defaults import Leaving  # few rules ask

        return Leaving(self.configuration)

    @cached_property
    def _joins(self) -> Joins:
        # Imported here for the cost: most rulesets join nothing.
        from tfgate.plan.joins import Joins

        return Joins(self)


# --- A whole plan as a msgspec struct: parts that nobody has asked for yet stay bytes.


class Top(msgspec.Struct, gc=False):
    """A whole plan. Of ``resource_changes``, the values of resources stay bytes as well."""

    format_version: Raw = ABSENT
    terraform_version: Raw = ABSENT
    variables: Raw = ABSENT
    planned_values: Raw = ABSENT
    resource_drift: Raw = ABSENT
    resource_changes: list[Change] | None = None
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

    def kept(self) -> dict[str, Raw]:
        """Return the undecoded parts that the plan has, by key."""
        parts = {key: getattr(self, key) for key in self.__struct_fields__}
        return {key: part for key, part in parts.items() if isinstance(part, Raw) and part}


def _unknown_marks(changes: Iterable[Change]) -> dict[str, list[Raw]]:
    """Collect the ``after_unknown`` of each block's instances, by the block's address."""
    marks: dict[str, list[Raw]] = {}
    for change in changes:
        if change.deposed is None:
            marks.setdefault(configuration_address(change), []).append(change.body.after_unknown)
    return marks
