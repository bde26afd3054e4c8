"""The arguments of ``terraform apply`` and ``destroy``, sorted by who needs them.

A gate plans first and applies the saved plan then, so that the arguments of the one command go to
two. The table is from Terraform's ``internal/command/arguments`` (``extended.go``, ``apply.go``,
``plan.go``; 0.12 to 1.15) and OpenTofu's (1.6 to 1.12). Terraform reads options with Go's ``flag``
package: one dash or two, ``-name=value`` or, unless it is a switch, ``-name value``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from enum import Flag, auto
from typing import Final, NamedTuple

from msgspec.structs import replace

from tfgate.errors import UsageError
from tfgate.model import Frozen
from tfgate.model.text import clean


class For(Flag):
    """Which command an option is for."""

    PLAN = auto()
    APPLY = auto()
    BOTH = PLAN | APPLY
    GATE = 0
    """The gate itself answers it."""


class Option(NamedTuple):
    """One option of ``apply`` or ``destroy``."""

    use: For
    switch: bool = False
    """Whether it may stand without a value."""
    public: bool = False
    """Whether its value may stand in a record: addresses and numbers may, variables may not."""


_PLAN, _APPLY, _BOTH = For.PLAN, For.APPLY, For.BOTH

OPTIONS: Final = {
    # What the plan is to be (both tools).
    "destroy": Option(_PLAN, switch=True, public=True),
    "refresh-only": Option(_PLAN, switch=True, public=True),
    "refresh": Option(_PLAN, switch=True, public=True),
    "replace": Option(_PLAN, public=True),
    "target": Option(_PLAN, public=True),
    "exclude": Option(_PLAN, public=True),
    # OpenTofu.
    "target-file": Option(_PLAN, public=True),
    "exclude-file": Option(_PLAN, public=True),
    # Terraform: 1.14 and later, and experiments.
    "invoke": Option(_PLAN, public=True),
    "include": Option(_PLAN, public=True),
    "allow-deferral": Option(_PLAN, switch=True, public=True),
    "light": Option(_PLAN, switch=True, public=True),
    # How either command runs.
    "var": Option(_BOTH),
    "var-file": Option(_BOTH, public=True),
    "input": Option(_BOTH, switch=True, public=True),
    "lock": Option(_BOTH, switch=True, public=True),
    "lock-timeout": Option(_BOTH, public=True),
    "parallelism": Option(_BOTH, public=True),
    "state": Option(_BOTH, public=True),
    "compact-warnings": Option(_BOTH, switch=True, public=True),
    "no-color": Option(_BOTH, switch=True, public=True),
    "json": Option(_BOTH, switch=True, public=True),
    # OpenTofu.
    "concise": Option(_BOTH, switch=True, public=True),
    "show-sensitive": Option(_BOTH, switch=True, public=True),
    "consolidate-warnings": Option(_BOTH, switch=True, public=True),
    "consolidate-errors": Option(_BOTH, switch=True, public=True),
    "deprecation": Option(_BOTH, public=True),
    # How the changes are made.
    "backup": Option(_APPLY, public=True),
    "state-out": Option(_APPLY, public=True),
    "json-into": Option(_APPLY, public=True),
    "suppress-forget-errors": Option(_APPLY, switch=True, public=True),
    # What the gate does itself.
    "auto-approve": Option(For.GATE, switch=True, public=True),
}
"""Every option, by its name without dashes."""

PLAN_OPTIONS: Final = tuple(name for name, option in OPTIONS.items() if option.use & For.PLAN)
"""Options that ``plan`` takes as well."""
VARIABLES: Final = ("var", "var-file")
"""Not for the apply of a saved plan, before Terraform 1.10 and OpenTofu 1.8."""
_TRUE: Final = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE: Final = frozenset({"0", "f", "F", "false", "FALSE", "False"})
HELP: Final = frozenset({"-help", "--help", "-h"})


class Given(NamedTuple):
    """An option as it was given."""

    name: str
    value: str | None
    """``None`` for a switch without a value."""

    @property
    def text(self) -> str:
        """The option as one argument."""
        return f"-{self.name}" if self.value is None else f"-{self.name}={self.value}"

    @property
    def shown(self) -> str:
        """The same with the value left out where it may be a secret."""
        if self.value is None or OPTIONS[self.name].public:
            return self.text
        # A variable's name is no secret, and says what was set.
        return f"-{self.name}={self.value.partition('=')[0]}=…"


class ApplyArguments(Frozen, frozen=True):
    """What ``apply`` was asked for."""

    given: tuple[Given, ...] = ()
    plan_file: str | None = None
    chdir: str | None = None
    help: bool = False

    def plan(self) -> list[str]:
        """Return the options for the plan, in the order they were given in."""
        return [given.text for given in self.given if OPTIONS[given.name].use & For.PLAN]

    def apply(self, *, variables: bool) -> list[str]:
        """Return the options for the apply of a saved plan; ``variables``: whether it takes any.

        Where the user gave the plan file, every option is theirs to give, and Terraform says what
        does not go with it.
        """
        everything = self.plan_file is not None
        return [
            given.text
            for given in self.given
            if OPTIONS[given.name].use & For.APPLY
            or (everything and OPTIONS[given.name].use is not For.GATE)
            if variables or everything or given.name not in VARIABLES
        ]

    def on(self, name: str) -> bool:
        """Return whether a switch is on; the last one given counts."""
        value = self.value(name)
        if value is not None:
            return value in _TRUE
        return any(given.name == name for given in self.given)

    def value(self, name: str) -> str | None:
        """Return the value of an option, of several the last one."""
        found = [given.value for given in self.given if given.name == name]
        return found[-1] if found else None

    def with_switch(self, name: str) -> ApplyArguments:
        """Return the same with one more switch, as ``destroy`` is ``apply -destroy``."""
        return replace(self, given=(*self.given, Given(name, None)))

    @property
    def global_options(self) -> list[str]:
        """Options that stand before the command."""
        return [] if self.chdir is None else [f"-chdir={self.chdir}"]

    @property
    def shown(self) -> list[str]:
        """The options as they may stand in a record."""
        return [given.shown for given in self.given]


def parse_apply(
    arguments: Sequence[str], *, tool: str = "terraform", drop_in: bool = False
) -> ApplyArguments:
    """Sort the arguments of ``apply``. Raises ``UsageError``.

    Unlike in Terraform, and with ``drop_in``, options may stand after the plan file, and
    ``-chdir=DIR`` anywhere. An option that is not in the table is refused: whether it takes a
    value, and what it would do to the plan or the apply, is not known.
    """
    given: list[Given] = []
    places: list[str] = []
    chdir = None
    rest = iter(arguments)
    for argument in rest:
        if argument == "--":
            places += rest
        elif not argument.startswith("-") or argument == "-":
            places += [argument, *rest] if drop_in else [argument]
        elif argument in HELP and not drop_in:
            return ApplyArguments(help=True)
        elif argument.startswith(("-chdir=", "--chdir=")) and not drop_in:
            chdir = argument.partition("=")[2]
        else:
            given.append(_option(argument, rest, tool))
    if len(places) > 1:
        raise UsageError(f"There is one plan file to apply, and {len(places)} were named.")
    # An empty name is none to Terraform.
    return ApplyArguments(tuple(given), (places[0] or None) if places else None, chdir)


def _option(argument: str, rest: Iterator[str], tool: str) -> Given:
    name, equals, value = argument.removeprefix("-").removeprefix("-").partition("=")
    option = OPTIONS.get(name)
    if option is None:
        raise _unknown(name, tool)
    if not option.switch:
        taken = value if equals else next(rest, None)
        if taken is None:
            raise UsageError(f"The option -{name} needs a value, as in -{name}=VALUE.")
        return Given(name, taken)
    if equals and value not in _TRUE | _FALSE:
        raise UsageError(f"The option -{name} is true or false.")
    return Given(name, value if equals else None)


def _unknown(name: str, tool: str) -> UsageError:
    near = get_close_matches(name, OPTIONS, n=1)
    meant = f" Did you mean -{near[0]}?" if near else ""
    return UsageError(
        f"-{clean(name, 40)} is no option of apply that tfgate knows.{meant}",
        hint=f"Options for the plan can be given to `{tool} plan -out=FILE`; then apply FILE.",
    )


def takes_variables(tool: str, version: str | None) -> bool:
    """Return whether the apply of a saved plan takes ``-var`` and ``-var-file``.

    From Terraform 1.10 on ephemeral variables must be given again, and the others may be where
    they say what the plan says; OpenTofu 1.8 needs them for variables in backends and modules.
    """
    try:
        major, minor = (int(part) for part in (version or "").split(".")[:2])
    except ValueError:
        return False
    return (major, minor) >= ((1, 8) if tool == "tofu" else (1, 10))
