"""``tfgate exec``."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from msgspec.structs import replace

from tfgate.command.apply import TerminalConsole, authority_of, report_end
from tfgate.command.options import (
    approval_option,
    evaluation_options,
    make_request,
    named,
    receipt_option,
    without_option,
)
from tfgate.command.output import write_err, write_out
from tfgate.errors import UsageError
from tfgate.gate.apply import ApplyJob, apply
from tfgate.gate.exec import (
    DEPTH,
    GovernedCommand,
    deeper,
    install_shims,
    refusals_recorded,
    run_around,
    terraform_of,
)
from tfgate.gate.request import Request
from tfgate.report import parse_report_options
from tfgate.report.escape import console
from tfgate.terraform import Terraform
from tfgate.terraform.arguments import ApplyArguments, parse_apply
from tfgate.terraform.commandline import (
    CommandLine,
    Effect,
    overwrites,
    read_command_line,
    without_arguments,
)


@click.command(
    "exec",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    epilog="Example: tfgate exec -- terraform apply -var-file=prod.tfvars",
)
@evaluation_options
@click.option("--audit-log", metavar="FILE", help="Audit trail to record everything in.")
@approval_option
@receipt_option
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def execute(
    command: tuple[str, ...], audit_log: str | None, receipt: Path | None, **options: Any
) -> int:
    """Run terraform, tofu, or a program that calls them, with the gate around every apply.

    A command that changes nothing runs at once. A command that changes something without a plan
    (import, state rm, init, ...) is recorded, or denied where [commands] says so. Prompts, output
    and exit codes are Terraform's; the verdict is on standard error.
    """
    program, *arguments = command
    env = without_arguments(os.environ)
    terraform = terraform_of(program, env)
    if terraform is not None:
        return run_terraform(terraform, arguments, audit_log, receipt, options)
    if DEPTH not in os.environ:
        write_err(
            f"{Path(program).name} runs with the gate around each terraform and tofu "
            "that it finds on PATH. The gate does not see one that it calls by a path, or by "
            "another name."
        )
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
    terraform: Terraform,
    arguments: Sequence[str],
    audit_log: str | None,
    receipt: Path | None,
    options: dict[str, Any],
) -> int:
    """Run one command line of Terraform: as it is, recorded, or through the gate."""
    request = make_request("the plan just made", root=None, audit_log=audit_log, **options)
    with refusals_recorded(request, _now):
        line = read_command_line(arguments, os.environ)
        if line.effect is Effect.NONE and not overwrites(line, request.cwd):
            terraform.replace_process(line.words)
        root = None if line.chdir is None else request.cwd / line.chdir
        env = deeper(without_arguments(request.env))
        request = replace(request, env=env, root=root)
        given = _apply_arguments(line, terraform) if line.effect is Effect.APPLY else None
    if given is None:
        return GovernedCommand(request, line, terraform, _now).run()
    return _apply(given, terraform, request, receipt)


def _apply_arguments(line: CommandLine, terraform: Terraform) -> ApplyArguments:
    given = parse_apply(line.arguments, tool=terraform.kind, drop_in=True)
    given = replace(given, chdir=line.chdir)
    if line.command == "apply":
        return given
    if given.plan_file is not None:
        raise UsageError("destroy takes no plan file.", hint="Use apply for a saved plan.")
    return given.with_switch("destroy")


def _apply(
    given: ApplyArguments, terraform: Terraform, request: Request, receipt: Path | None
) -> int:
    request = replace(request, plan=given.plan_file or request.plan)
    output = TerminalConsole(parse_report_options(()), request.now, drop_in=True)
    job = ApplyJob(
        request,
        given,
        terraform,
        output,
        _now,
        drop_in=True,
        authority=authority_of(receipt, request.env),
    )
    result = apply(job)
    report_end(output, result, drop_in=True)
    return int(result.exit_code)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)


def _passed_on(audit_log: str | None, receipt: Path | None, options: dict[str, Any]) -> list[str]:
    """Write the options once more, for a gate that is called from another directory."""
    given = [f"--ruleset={_placed(source)}" for source in options["rulesets"]]
    given += [f"--context={fact}" for fact in options["facts"]]
    given += [f"--allow={rule}" for rule in options["allow"]]
    files_of = named(options["data"], "--data", "FILE")
    given += [f"--data={name}={Path(path).absolute()}" for name, path in files_of.items()]
    given += [f"--approval={Path(path).absolute()}" for path in options["approvals"]]
    files = {"config": options["config"], "audit-log": audit_log, "receipt": receipt}
    files["identity-token-file"] = options["identity_token_file"]
    files["identity-key"] = options["identity_key"]
    given += [f"--{name}={Path(path).absolute()}" for name, path in files.items() if path]
    for name in ("workspace", "operator", "evaluate"):
        if options[name]:
            given.append(f"--{name}={options[name]}")
    return [*given, "--allow-empty"] if options["allow_empty"] else given


def _placed(source: str) -> str:
    """Make the path of a ruleset absolute; ``tfgate:core`` and URLs are none."""
    return source if ":" in source else str(Path(source).absolute())


@click.group()
def shim() -> None:
    """Put the gate in front of terraform and tofu on PATH.

    Example: tfgate shim install ~/.tfgate/bin
    """


@shim.command("install", epilog="Example: tfgate shim install ~/.tfgate/bin")
@click.argument("directory", type=click.Path(path_type=Path))
def install(directory: Path) -> None:
    """Write stand-ins for terraform and tofu into DIRECTORY, to put first on PATH.

    Commands that change nothing pass through. apply and destroy go through the gate; every other
    command is recorded or denied ([commands] in tfgate.toml).
    """
    directory = directory.expanduser().resolve()
    for path in install_shims(directory):
        write_out(f"{console(str(path))}\n")
    write_err(f'Put it first on PATH: export PATH="{directory}:$PATH"')
