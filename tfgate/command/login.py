"""``tfgate login``, ``logout`` and ``whoami``: who is at this terminal, proven."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tfgate.command.output import write_err, write_out
from tfgate.errors import UsageError
from tfgate.gate.operator import operator_of
from tfgate.gate.request import Request
from tfgate.report.escape import console
from tfgate.ruleset import load_gate_config
from tfgate.terraform import detect_workspace

if TYPE_CHECKING:
    from tfgate.ruleset.issuers import Issuer

_CONFIG = click.option(
    "--config", metavar="FILE", help="Configuration to use instead of the nearest tfgate.toml."
)


@click.command(epilog="Example: tfgate login")
@click.argument("issuer", required=False, metavar="[ISSUER]")
@_CONFIG
def login(issuer: str | None, config: str | None) -> None:
    """Log in at ISSUER, in a browser on any device, and keep the login for later commands.

    ISSUER is the name of an [[identity.issuers]] table with a client_id; it may be left out where
    there is one. The login is kept in the system's keyring, or in a file of your own.
    """
    from tfgate.identity.login import ask_for_code, store, wait_for_login

    chosen = _issuer(issuer, config)
    device = ask_for_code(chosen, os.environ)
    write_err(f"Open {device.verification_uri} and enter the code {device.user_code}")
    if device.verification_uri_complete:
        write_err(f"or open {device.verification_uri_complete}")
    identity, kept = wait_for_login(chosen, device, os.environ, now=_now)
    where = store(chosen, kept, os.environ)
    write_err(f"tfgate: Logged in at {chosen.name} as {console(identity.name)}; kept in {where}.")


@click.command(epilog="Example: tfgate logout")
@click.argument("issuer", required=False, metavar="[ISSUER]")
@_CONFIG
def logout(issuer: str | None, config: str | None) -> None:
    """Forget the login at ISSUER, and ask the issuer to end it."""
    from tfgate.identity.login import forget

    chosen = _issuer(issuer, config)
    done = "Logged out of" if forget(chosen, os.environ) else "There was no login at"
    write_err(f"tfgate: {done} {chosen.name}.")


@click.command(epilog="Example: tfgate whoami")
@click.option(
    "--identity-key", metavar="FILE", envvar="TFGATE_IDENTITY_KEY", help="SSH key that proves it."
)
@_CONFIG
def whoami(identity_key: str | None, config: str | None) -> None:
    """Print whom a record of this machine would name as the operator, and what proves it."""
    cwd = Path.cwd()
    request = Request(
        plan="", env=os.environ, cwd=cwd, now=_now(), config=config, identity_key=identity_key
    )
    gate = load_gate_config(cwd, os.environ, config=config)
    workspace = detect_workspace(os.environ, None, cwd).name
    operator = operator_of(request, gate, workspace, lambda text: write_err(f"tfgate: {text}"))
    proof = "claimed, not proven"
    if operator.verified:
        by = " ".join(part for part in (operator.issuer, operator.subject) if part)
        proof = f"proven by {by}, key {operator.key_id}" if operator.key_id else f"proven by {by}"
    write_out(f"{console(operator.name)} ({console(operator.source)}: {console(proof)})\n")


def _issuer(name: str | None, config: str | None) -> Issuer:
    """Return the issuer that is meant. Raises ``UsageError`` where that is not known."""
    issuers = load_gate_config(Path.cwd(), os.environ, config=config).issuers
    able = [one for one in issuers if one.client_id is not None and name in (None, one.name)]
    if len(able) == 1:
        return able[0]
    if able:
        names = ", ".join(one.name for one in able)
        raise UsageError(f"There are several issuers to log in at: {names}.", hint="Name one.")
    what = "No issuer" if name is None else f"No issuer {name}"
    raise UsageError(
        f"{what} of [[identity.issuers]] has a client_id to log in with.",
        hint="See docs/identity.md.",
    )


def _now() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)
