"""One root module output and what the apply does to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tfgate.plan.change import action_named
from tfgate.plan.decoding import decode_value, too_deep
from tfgate.plan.expressions import redact_expression
from tfgate.plan.overlay import merge
from tfgate.plan.redact import redact
from tfgate.plan.secrets import names_secret, redact_named
from tfgate.query.values import SENSITIVE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tfgate.model.action import Action
    from tfgate.plan.configuration import Configuration, Output
    from tfgate.plan.planned import Planned
    from tfgate.plan.reads import Reads
    from tfgate.plan.wire import Body


class OutputChange:
    """An entry of ``output_changes``. Satisfies `tfgate.plan.subject.Subject`."""

    __slots__ = ("_body", "_by_name", "_configuration", "_planned", "name")

    type = ""
    mode = "managed"
    module_address = ""
    provider_name = ""
    deposed: str | None = None

    def __init__(
        self,
        name: str,
        body: Body,
        planned: Planned,
        configuration: Configuration,
        *,
        by_name: bool,
    ) -> None:
        self.name = name
        self._body = body
        self._planned = planned
        self._configuration = configuration
        self._by_name = by_name

    @property
    def address(self) -> str:
        """``output.NAME``."""
        return f"output.{self.name}"

    @property
    def where(self) -> str:
        """JSON path of the entry, for errors."""
        return f"output_changes.{self.name}"

    @property
    def actions(self) -> tuple[str, ...]:
        """The words of the format."""
        return self._body.actions

    @property
    def action(self) -> Action:
        """The one word for them."""
        return action_named(self._body.actions)

    @property
    def declared(self) -> Output | None:
        """The output as configured, None if it is being removed."""
        return (self._configuration.root.outputs or {}).get(self.name)

    @property
    def sensitive(self) -> bool:
        """Whether the output is declared sensitive, or marked so before or after."""
        declared, planned = self.declared, self._planned.output(self.name)
        return bool(
            (declared is not None and declared.sensitive)
            or (planned is not None and planned.sensitive)
            or self._marks("before_sensitive") is True
            or self._marks("after_sensitive") is True
        )

    @property
    def before(self) -> Any:
        """The value in the state."""
        return decode_value(self._body.before, f"{self.where}.before")

    @property
    def after(self) -> Any:
        """The value after the apply, with `UNKNOWN` where that is not known yet."""
        known = decode_value(self._body.after, f"{self.where}.after")
        try:
            return merge(known, self._marks("after_unknown"))
        except RecursionError:
            raise too_deep(self.where) from None

    def _marks(self, field: str) -> Any:
        return decode_value(getattr(self._body, field), f"{self.where}.{field}")

    def document(self, reads: Reads) -> dict[str, Any]:
        """The root of an output rule: the fields of `FIELDS` that ``reads`` wants."""
        return {name: get(self, reads) for name, get in reads.select(FIELDS)}

    def redacted(self, reads: Reads) -> dict[str, Any]:
        """The same with `SENSITIVE` for what must not be shown."""
        return {name: get(self, reads) for name, get in reads.select(REDACTED_FIELDS)}

    def hidden(self, value: Any, side: str) -> Any:
        """Hide in ``value`` what the marks of ``side`` say; all of a sensitive output."""
        if self.sensitive:
            return SENSITIVE
        marks = self._marks(side)
        if marks is None or self._by_name:
            value = SENSITIVE if names_secret(self.name) else redact_named(value)
        return redact(value, marks)

    def kind(self) -> Any:
        """The type of the value as Terraform writes it: ``"string"``, ``["list","string"]``."""
        planned = self._planned.output(self.name)
        return None if planned is None else decode_value(planned.type, f"{self.where}.type")

    def config(self) -> dict[str, Any] | None:
        """The output's block: expression, references inside, flags, description."""
        declared = self.declared
        if declared is None:
            return None
        where = f"configuration.root_module.outputs.{self.name}"
        return {
            "expression": decode_value(declared.expression, f"{where}.expression") or {},
            "sensitive": bool(declared.sensitive),
            "description": declared.description,
            "depends_on": declared.depends_on or [],
        }

    def redacted_config(self) -> dict[str, Any] | None:
        """The block without a constant that may be secret."""
        config = self.config()
        if config is None:
            return None
        secret = self.sensitive or names_secret(self.name)
        return {**config, "expression": redact_expression(config["expression"], secret=secret)}


FIELDS: Final[Mapping[str, Callable[[OutputChange, Reads], Any]]] = {
    "address": lambda output, _: output.address,
    "name": lambda output, _: output.name,
    "action": lambda output, _: output.action.value,
    "actions": lambda output, _: list(output.actions),
    "before": lambda output, _: output.before,
    "after": lambda output, _: output.after,
    "sensitive": lambda output, _: output.sensitive,
    "type": lambda output, _: output.kind(),
    "config": lambda output, _: output.config(),
    "source": lambda _output, _: None,
}
"""The root of an output rule."""

REDACTED_FIELDS: Final[Mapping[str, Callable[[OutputChange, Reads], Any]]] = {
    **FIELDS,
    "before": lambda output, _: output.hidden(output.before, "before_sensitive"),
    "after": lambda output, _: output.hidden(output.after, "after_sensitive"),
    "config": lambda output, _: output.redacted_config(),
}
