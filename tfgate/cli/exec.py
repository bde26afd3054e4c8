"""``tfgate exec``."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from tfgate.cli.options import approval_option, judging_options, make_request, receipt_option
from tfgate.cli.passing import without_option
from tfgate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tfgate.app.request import Request
    from tfgate.terraform.commandline import CommandLine


@click.command(
    "exec",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    epilog="Example: tfgate exec -- terraform apply -var-file=prod.tfvars",
)
@judging_options
@click.option("--audit-log", metavar="FILE", help="Audit trail that everything is recorded in.")
@approval_option
@receipt_option
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def execute(
    command: tuple[str, ...], audit_log: str | None, receipt: Path | None, **options: Any
) -> int:
    """Run terraform, tofu, or a program that calls them, with the gate around every apply.

    Everything but apply and destroy goes straight through; commands that change the state without
    a plan (import, state rm, taint, ...) are recorded, or denied where [commands] says so. It
    asks, prints and ends as Terraform itself would; the verdict is on standard error.
    """
    from tfgate.app.dropin import is_terraform, run_around

    program, *arguments = command
    if is_terraform(program):
        return run_terraform(program, arguments, audit_log, receipt, options)
    return run_around(
        program,
        arguments,
        cwd=Path.cwd(),
        env=os.environ,
        options=_passed_on(audit_log, receipt, options),
    )


without_option(execute, "root")
for _parameter in execute.params:
    if _parameter.name == "command":
        _parameter.required = True


def run_terraform(
    program: str,
    arguments: Sequence[str],
    audit_log: str | None,
    receipt: Path | None,
    options: dict[str, Any],
) -> int:
    """Run one command line of Terraform through the gate, or past it."""
    from tfgate.app.dropin import GovernedCommand, deeper, is_governed, real_terraform
    from tfgate.terraform.commandline import read_command_line

    line = read_command_line(arguments)
    terraform = real_terraform(program, os.environ)
    gated = line.command in ("apply", "destroy") and not line.only_tells
    if not gated and not is_governed(line):
        terraform.replace_process(arguments)
    request = make_request("the plan just made", root=None, audit_log=audit_log, **options)
    root = None if line.chdir is None else request.cwd / line.chdir
    request = replace(request, env=deeper(request.env), root=root)
    if gated:
        return _apply(line, program, request, receipt)
    return GovernedCommand(request, line, terraform, _now).run(arguments)


def _apply(line: CommandLine, program: str, request: Request, receipt: Path | None) -> int:
    from tfgate.app.apply import ApplyJob, apply
    from tfgate.app.dropin import real_terraform
    from tfgate.cli.apply import authority_of, tell_end
    from tfgate.cli.console import TerminalConsole
    from tfgate.report import parse_report_options
    from tfgate.terraform.arguments import parse_apply
    from tfgate.terraform.cliargs import take_arguments

    extra, env = take_arguments(request.env, line.command)
    given = parse_apply([*line.options, *extra, *line.arguments], tool=Path(program).name)
    if line.command == "destroy":
        if given.plan_file is not None:
            raise UsageError("destroy takes no plan file.", hint="Use apply for a saved plan.")
        given = given.with_switch("destroy")
    request = replace(request, env=env, plan=given.plan_file or request.plan)
    console = TerminalConsole(parse_report_options(()), request.now, drop_in=True)
    terraform = real_terraform(program, env)
    job = ApplyJob(
        request,
        given,
        terraform,
        console,
        _now,
        drop_in=True,
        authority=authority_of(receipt, env),
    )
    result = apply(job)
    tell_end(console, result, drop_in=True)
    return int(result.exit_code)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)


def _passed_on(audit_log: str | None, receipt: Path | None, options: dict[str, Any]) -> list[str]:
    """Write the options once more, for a gate that is called from another directory."""
    given = [f"--ruleset={_placed(source)}" for source in options["rulesets"]]
    given += [f"--context={fact}" for fact in options["facts"]]
    given += [f"--approval={Path(path).absolute()}" for path in options["approvals"]]
    files = {"config": options["config"], "audit-log": audit_log, "receipt": receipt}
    given += [f"--{name}={Path(path).absolute()}" for name, path in files.items() if path]
    for name in ("workspace", "operator", "evaluate"):
        if options[name]:
            given.append(f"--{name}={options[name]}")
    return [*given, "--allow-empty"] if options["allow_empty"] else given


def _placed(source: str) -> str:
    """Make the path of a ruleset absolute; ``tfgate:core`` and URLs are none."""
    return source if ":" in source else str(Path(source).absolute())
