"""``tfgate atlantis``: a step of an Atlantis policy check, whose verdict is read from its text.

In a policy check whatever a step prints on either stream is the text, and a step that exits
non-zero loses it, which can let a pull request through. So there everything, errors and wrong usage
included, is one block on standard output, and the exit status is 0. In other stages (those with
``ATLANTIS_PR_APPROVED``) the exit status is the verdict, as everywhere else.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from tfgate.atlantis.step import (
    as_step,
    evaluate_step,
    is_policy_check,
    server_side_config,
    step_facts,
    terraform_of,
)
from tfgate.command.apply import run_apply
from tfgate.command.lazy import LazyGroup
from tfgate.command.options import (
    PassingCommand,
    approval_option,
    evaluation_options,
    make_request,
    receipt_option,
    without_option,
)
from tfgate.command.output import write_out, write_reports
from tfgate.command.reporting import report_context
from tfgate.errors import TfgateError, UsageError
from tfgate.exitcodes import ExitCode
from tfgate.gate.check import check
from tfgate.gate.request import Request
from tfgate.report import ReportRequest, render
from tfgate.report.atlantis import render_error

_COMMANDS = {
    "apply": ("tfgate.atlantis.command", "apply", "Gate and apply $PLANFILE in an apply stage."),
    "doctor": ("tfgate.atlantis.doctor", "doctor", "Find settings that let plans through."),
}


class _StepGroup(LazyGroup):
    """Reports wrong usage in the text too, unless a subcommand was meant."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:  # fmt: skip
        with _usage_in_text(args):
            return super().make_context(info_name, args, parent, **extra)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        with _usage_in_text(args):
            return super().resolve_command(ctx, args)


@contextlib.contextmanager
def _usage_in_text(args: list[str]) -> Iterator[None]:
    meant = _means_subcommand(args)
    try:
        yield
    except click.ClickException as error:
        if meant:
            raise
        raise click.exceptions.Exit(_error(error.format_message(), ExitCode.USAGE)) from None


def _means_subcommand(args: list[str]) -> bool:
    """Whether a subcommand is among the words, were it misspelt: its exit status counts."""
    return any(get_close_matches(word, _COMMANDS, n=1) for word in args)


@click.group(
    cls=_StepGroup,
    lazy=_COMMANDS,
    invoke_without_command=True,
    epilog="Example, as a step of policy_check: tfgate atlantis --config /etc/tfgate/tfgate.toml",
)
@evaluation_options
@click.option("--policy-set", metavar="NAME",
              help="Policy set that this step's output is for; rules read it with "
                   "$context.policy_set.")  # fmt: skip
@click.option("--audit-log", metavar="FILE", help="Audit trail that the decision is recorded in.")
@approval_option
@click.pass_context
def atlantis(ctx: click.Context, /, **options: Any) -> int | None:
    """Evaluate $SHOWFILE in an Atlantis policy check, and report it as Atlantis reads it.

    One step is one policy set: Atlantis takes the n-th output for the n-th set. The configuration
    must be the server's own (--config or TFGATE_CONFIG, outside of the checkout). The exit status
    is 0 in a policy check, where the verdict is in the text.
    """
    if ctx.invoked_subcommand is not None:
        if any(ctx.get_parameter_source(name) is _GIVEN for name in options):
            raise click.UsageError(f"Options stand behind {ctx.invoked_subcommand}.")
        return None
    with _silence():
        try:
            return _evaluate(options)
        except TfgateError as error:
            return _error(str(error), error.exit_code)
        except BaseException as error:
            if isinstance(error, BrokenPipeError):
                raise
            text = (
                f"An unexpected {type(error).__name__} stopped tfgate, so nothing was decided. "
                "Please report it."
            )
            return _error(text, ExitCode.UNDECIDED)


_GIVEN = click.core.ParameterSource.COMMANDLINE
for _name in ("root", "workspace", "operator"):
    without_option(atlantis, _name)


def _evaluate(options: dict[str, Any]) -> int:
    policy_set = options.pop("policy_set")
    own = step_facts(os.environ, policy_set)
    options["facts"] = [*own, *options["facts"]]
    request = as_step(
        make_request(
            "$SHOWFILE",
            root=None,
            workspace=os.environ.get("WORKSPACE") or None,
            operator=None,
            **options,
        )
    )
    result = evaluate_step(request)
    write_out(
        render("atlantis", result.decision, report_context(result, request.now, ["atlantis"]))
    )
    return _status(result.exit_code)


def _error(text: str, code: ExitCode) -> int:
    write_out(render_error(text))
    return _status(code)


def _status(code: ExitCode) -> int:
    return 0 if is_policy_check(os.environ) else int(code)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep everything off standard error: Atlantis reads it as part of the text."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)


class _StepCommand(PassingCommand):
    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Leave the plan out of the usage line."""
        return ["[OPTIONS]", "[TERRAFORM OPTIONS]"]


@click.command(
    cls=_StepCommand,
    epilog="Example, as a step of apply, instead of Atlantis's own: tfgate atlantis apply --config "
    "/etc/tfgate/tfgate.toml",
)
@evaluation_options
@click.option("--check-only", is_flag=True,
              help="Evaluate $PLANFILE and apply nothing: for a step before Atlantis's own apply, "
                   "which then reads the file again.")  # fmt: skip
@click.option("--audit-log", metavar="FILE", help="Audit trail that everything is recorded in.")
@approval_option
@receipt_option
def apply(
    check_only: bool,
    audit_log: str | None,
    receipt: Path | None,
    terraform: tuple[str, ...],
    **options: Any,
) -> int:
    """Evaluate $PLANFILE, record the decision, and apply that plan and no other.

    This is tfgate apply -auto-approve with Atlantis's variables and the server's own configuration
    (--config or TFGATE_CONFIG, outside of the checkout). What Atlantis's policy owners approved
    does not count here; approvals signed with tfgate approve do.
    """
    if "--help" in terraform or "-help" in terraform:
        click.echo(click.get_current_context().get_help())
        return 0
    plan = os.environ.get("PLANFILE")
    if not plan:
        raise UsageError("There is no $PLANFILE.", hint="This is a step of an Atlantis workflow.")
    if not os.environ.get("TFGATE_TERRAFORM") and (program := terraform_of(os.environ)):
        os.environ["TFGATE_TERRAFORM"] = program
    options |= {"workspace": os.environ.get("WORKSPACE") or None, "operator": None}
    options["facts"] = [*step_facts(os.environ), *options["facts"]]
    request = make_request(plan, root=None, audit_log=audit_log, **options)
    server_side_config(request)
    if check_only:
        return _check(request, terraform)

    words = ("-auto-approve", "-input=false", "-no-color", *terraform, plan)
    return run_apply(words, (), audit_log, receipt, options)


for _apply_option in ("root", "workspace", "operator"):
    without_option(apply, _apply_option)


def _check(request: Request, terraform: tuple[str, ...]) -> int:
    if terraform:
        raise UsageError(f"{terraform[0]} is for an apply, and --check-only applies nothing.")
    result = check(request)
    write_reports(
        [ReportRequest("text", None)], result.decision, report_context(result, request.now, [])
    )
    return int(result.exit_code)
