"""A command that takes Terraform's arguments beside its own options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence


class PassingCommand(click.Command):
    """Own options are taken wherever they stand; the rest goes to ``terraform``, in its order.

    Terraform's options begin with one dash (``-refresh-only``), which click would read as a row
    of short options. So only exact names of own options are taken out before click sees them.
    The rest is passed to the command as ``terraform``.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Split the arguments, and let click read its own."""
        own, rest = self._split(ctx, args)
        left = super().parse_args(ctx, own)
        ctx.params["terraform"] = tuple(rest)
        return left

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Say in the usage line that there is more than own options."""
        return ["[OPTIONS]", "[TERRAFORM OPTIONS]", "[PLANFILE]"]

    def _split(self, ctx: click.Context, args: Sequence[str]) -> tuple[list[str], list[str]]:
        known = self._own_options(ctx)
        own: list[str] = []
        rest: list[str] = []
        words = iter(args)
        for word in words:
            name, equals, _ = word.partition("=")
            if word == "--":
                rest += [word, *words]
            elif name not in known or (equals and not name.startswith("--")):
                rest.append(word)
            else:
                own.append(word)
                if known[name] and not equals:
                    own += [value for value in (next(words, None),) if value is not None]
        return own, rest

    def _own_options(self, ctx: click.Context) -> dict[str, bool]:
        """Give the names of own options, and whether each takes a value."""
        names: dict[str, bool] = {}
        for parameter in self.get_params(ctx):
            if isinstance(parameter, click.Option):
                takes_value = not (parameter.is_flag or parameter.count)
                names |= dict.fromkeys((*parameter.opts, *parameter.secondary_opts), takes_value)
        return names


def without_option(command: Any, name: str) -> Any:
    """Give the command without one of its options."""
    command.params = [parameter for parameter in command.params if parameter.name != name]
    return command
