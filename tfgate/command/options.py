"""Options that several commands share, and the request they make."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tfgate.errors import UsageError
from tfgate.gate.request import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tfgate.gate.request import EarlyRead


F = TypeVar("F", bound="Callable[..., Any]")

_EVALUATION = (
    click.option("--ruleset", "-r", "rulesets", multiple=True, metavar="SOURCE",
                 help="Ruleset to evaluate: tfgate:NAME, a folder or a TOML file. Repeatable; "
                      "replaces those of tfgate.toml."),
    click.option("--config", metavar="FILE",
                 help="Configuration to use instead of the nearest tfgate.toml."),
    click.option("--root", metavar="DIR", type=click.Path(path_type=Path),
                 help="Directory of the configuration that was planned (default: here)."),
    click.option("--workspace", "-w", metavar="NAME", help="Workspace that the plan is for."),
    click.option("--operator", metavar="NAME", help="Name of who runs the apply."),
    click.option("--identity-token-file", metavar="FILE", type=click.Path(path_type=Path),
                 help="Token that proves who runs the apply (see [[identity.issuers]])."),
    click.option("--identity-key", metavar="FILE", envvar="TFGATE_IDENTITY_KEY",
                 help="SSH key that proves who runs the apply (see identity.allowed_signers): "
                      "private, or public with the private half in the agent. "
                      "[env: TFGATE_IDENTITY_KEY]"),
    click.option("--evaluate", type=click.Choice(["changes", "all"]),
                 help="Evaluate only changes, or unchanged resources too."),
    click.option("--allow-empty", is_flag=True, default=None,
                 help="Allow a plan on which no rule was evaluated."),
    click.option("--allow", multiple=True, metavar="RULE",
                 help="Evaluate this rule (id or glob) although none of the types it matches has "
                      "anything that it reads. Repeatable."),
    click.option("--context", "facts", multiple=True, metavar="NAME=VALUE",
                 help="Value that rules read with $context.NAME. Repeatable."),
    click.option("--data", "data", multiple=True, metavar="NAME=FILE",
                 help="JSON, TOML or YAML file that rules read as $data.NAME. Repeatable."),
)  # fmt: skip


def evaluation_options(command: F) -> F:
    """Add the options of commands that evaluate a plan."""
    for option in reversed(_EVALUATION):
        command = option(command)
    return command


approval_option = click.option(
    "--approval", "approvals", multiple=True, metavar="PATH",
    type=click.Path(), envvar="TFGATE_APPROVALS",
    help="A signed approval, or a folder of them. Repeatable. [env: TFGATE_APPROVALS]",
)  # fmt: skip
"""The option that takes approvals, for commands whose verdict they may change."""


receipt_option = click.option(
    "--receipt", metavar="FILE", type=click.Path(path_type=Path), envvar="TFGATE_RECEIPT",
    help="Apply only the plan that this receipt of tfgate check names. [env: TFGATE_RECEIPT]",
)  # fmt: skip
"""The option that takes a receipt, for commands that apply."""


def make_request(
    plan: str,
    *,
    rulesets: Sequence[str],
    config: str | None,
    root: Path | None,
    workspace: str | None,
    operator: str | None,
    identity_token_file: Path | None,
    identity_key: str | None,
    evaluate: str | None,
    allow_empty: bool | None,
    allow: Sequence[str],
    facts: Sequence[str],
    data: Sequence[str],
    audit_log: str | None = None,
    approvals: Sequence[str] = (),
    receipt_key: str | None = None,
    early: EarlyRead | None = None,
) -> Request:
    """Build the request from the options, the environment, the working directory and the clock."""
    flags = {
        "gate.rulesets": list(rulesets) or None,
        "gate.evaluate": evaluate,
        "gate.allow_empty": allow_empty,
        "gate.allow": list(allow) or None,
        "audit.log": audit_log,
        "receipts.key": receipt_key,
    }
    return Request(
        plan=plan,
        env=os.environ,
        cwd=Path.cwd(),
        now=dt.datetime.now(dt.timezone.utc),
        root=root,
        config=config,
        workspace=workspace,
        operator=operator,
        identity_token_file=identity_token_file,
        identity_key=identity_key,
        flags=flags,
        facts=named(facts, "--context", "VALUE"),
        data=named(data, "--data", "FILE"),
        approvals=tuple(approvals),
        early=early,
    )


def named(texts: Sequence[str], option: str, what: str) -> Mapping[str, str]:
    """Read ``NAME=VALUE`` options. Raises ``UsageError``."""
    given = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (equals and name):
            raise UsageError(f"{option} {text} is not NAME={what}.")
        given[name] = value
    return given


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
        """Show in the usage line that Terraform's options are taken too."""
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
        """Return the names of own options, and whether each takes a value."""
        names: dict[str, bool] = {}
        for parameter in self.get_params(ctx):
            if isinstance(parameter, click.Option):
                takes_value = not (parameter.is_flag or parameter.count)
                names |= dict.fromkeys((*parameter.opts, *parameter.secondary_opts), takes_value)
        return names


def without_option(command: Any, name: str) -> Any:
    """Return the command without one of its options."""
    command.params = [parameter for parameter in command.params if parameter.name != name]
    return command
