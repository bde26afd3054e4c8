"""Options that several commands share, and the request they make."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tfgate.app.request import Request
from tfgate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tfgate.app.ahead import Ahead

F = TypeVar("F", bound="Callable[..., Any]")

_JUDGING = (
    click.option("--ruleset", "-r", "rulesets", multiple=True, metavar="SOURCE",
                 help="A ruleset to judge by: tfgate:NAME, a folder or a TOML file. Repeatable; "
                      "replaces those of tfgate.toml."),
    click.option("--config", metavar="FILE",
                 help="Configuration to use instead of the nearest tfgate.toml."),
    click.option("--root", metavar="DIR", type=click.Path(path_type=Path),
                 help="Directory of the configuration that was planned (default: here)."),
    click.option("--workspace", "-w", metavar="NAME", help="Workspace that the plan is for."),
    click.option("--operator", metavar="NAME", help="Who asks for the apply."),
    click.option("--evaluate", type=click.Choice(["changes", "all"]),
                 help="Judge changes alone, or unchanged resources too."),
    click.option("--allow-empty", is_flag=True, default=None,
                 help="Allow a plan on which no rule was evaluated."),
    click.option("--context", "facts", multiple=True, metavar="NAME=VALUE",
                 help="A value that rules read with context('NAME'). Repeatable."),
)  # fmt: skip


def judging_options(command: F) -> F:
    """Add the options of commands that judge a plan."""
    for option in reversed(_JUDGING):
        command = option(command)
    return command


def approval_option(command: F) -> F:
    """Add the option that takes approvals, for commands whose verdict they may change."""
    return click.option(
        "--approval", "approvals", multiple=True, metavar="PATH",
        type=click.Path(), envvar="TFGATE_APPROVALS",
        help="A signed approval, or a folder of them. Repeatable. [env: TFGATE_APPROVALS]",
    )(command)  # fmt: skip


def receipt_option(command: F) -> F:
    """Add the option that takes a receipt, for commands that apply."""
    return click.option(
        "--receipt", metavar="FILE", type=click.Path(path_type=Path), envvar="TFGATE_RECEIPT",
        help="Apply only what this receipt of tfgate check is for. [env: TFGATE_RECEIPT]",
    )(command)  # fmt: skip


def make_request(
    plan: str,
    *,
    rulesets: Sequence[str],
    config: str | None,
    root: Path | None,
    workspace: str | None,
    operator: str | None,
    evaluate: str | None,
    allow_empty: bool | None,
    facts: Sequence[str],
    audit_log: str | None = None,
    approvals: Sequence[str] = (),
    receipt_key: str | None = None,
    ahead: Ahead | None = None,
) -> Request:
    """Build the request from the options, the environment, the working directory and the clock."""
    flags = {
        "gate.rulesets": list(rulesets) or None,
        "gate.evaluate": evaluate,
        "gate.allow_empty": allow_empty,
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
        flags=flags,
        facts=parse_facts(facts),
        approvals=tuple(approvals),
        ahead=ahead,
    )


def parse_facts(texts: Sequence[str]) -> Mapping[str, str]:
    """Read ``NAME=VALUE`` options. Raises ``UsageError``."""
    facts = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (equals and name):
            raise UsageError(f"--context {text} is not NAME=VALUE.")
        facts[name] = value
    return facts
