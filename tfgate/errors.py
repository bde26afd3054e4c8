"""Every error a user can meet, each with its exit code.

::

    TfgateError                 3  could not decide
    ├── UsageError              2  the command line
    ├── ConfigError             2  tfgate.toml, all its mistakes at once
    │   └── RulesetError        2  a ruleset, all its mistakes at once
    ├── PlanError               3  the plan cannot be read or must not be evaluated
    │   └── SeveralDocumentsError  3  there is more than one of them
    ├── SourceError             3  HCL sources that cannot be read where they are needed
    ├── IdentityError           3  a token proves nothing, or proof is needed and missing
    ├── AuditError              3  the record cannot be written or does not verify
    │   └── NotDeliveredError   3  a sink that must have the record has it not
    └── TerraformError          3  terraform is missing or a helper command of it failed
        └── CommandFailedError  4  a command that was run for the user failed

The text of an error says what is wrong, where, and what to do, in one sentence or two. It never
carries a value out of a plan: values may be secret.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from tfgate.exitcodes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class TfgateError(Exception):
    """Something a user must hear of. ``hint`` is what to do about it."""

    exit_code: ExitCode = ExitCode.UNDECIDED

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message


class UsageError(TfgateError):
    """The command line asks for something that cannot be done."""

    exit_code = ExitCode.USAGE


class Problem(NamedTuple):
    """One mistake in a configuration or ruleset file."""

    file: str
    """Path as the user would write it."""
    message: str
    """What is wrong, in one sentence, with the nearest known name where there is one."""
    key: str | None = None
    """Dotted key, as in ``rules[2].match.actions``."""
    line: int | None = None
    """1-based line in ``file``, where known."""
    column: int | None = None
    """1-based column: in the expression for an expression, in the line for TOML."""
    excerpt: str | None = None
    """Source line (or expression) that the caret stands under, on one line."""

    def render(self) -> str:
        """Write ``file:line: key: column N: message``, and the excerpt with a caret below it."""
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        parts = [where]
        if self.key is not None:
            parts.append(self.key)
        if self.column is not None:
            parts.append(f"column {self.column}")
        text = f"{': '.join(parts)}: {self.message}"
        if self.excerpt is not None and self.column is not None:
            text += f"\n    {self.excerpt}\n    {' ' * (self.column - 1)}^"
        return text


class ConfigError(TfgateError):
    """``tfgate.toml`` is wrong; ``problems`` lists every mistake found in one run."""

    exit_code = ExitCode.USAGE

    def __init__(self, problems: Sequence[Problem], *, hint: str | None = None) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problem.render() for problem in self.problems), hint=hint)


class RulesetError(ConfigError):
    """A ruleset is wrong; ``problems`` lists every mistake found in one run."""


class PlanError(TfgateError):
    """The plan cannot be read, or must not be evaluated as if it were whole.

    ``where`` is a JSON path such as ``resource_changes[3].change.after``, where one is known.
    """

    def __init__(self, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(f"{where}: {message}" if where else message, hint=hint)
        self.where = where


class SeveralDocumentsError(PlanError):
    """More than one JSON document, as Terragrunt prints several plans: each may be a plan."""


class SourceError(TfgateError):
    """HCL sources cannot be read where a decision depends on them."""


class IdentityError(TfgateError):
    """A token does not prove who runs the gate, or a proof that is needed is missing.

    The text never carries the token, nor a claim that was not verified.
    """


class AuditError(TfgateError):
    """The audit record cannot be written, or a trail does not verify."""


class NotDeliveredError(AuditError):
    """A sink must have the record of what allows something, and has it not."""


class TerraformError(TfgateError):
    """``terraform`` or ``tofu`` is missing, or a command the gate needs of it failed."""


class CommandFailedError(TerraformError):
    """A command that ``terraform`` or ``tofu`` ran in the user's stead failed; it has said why."""

    exit_code = ExitCode.TERRAFORM_FAILED


@contextmanager
def explained(
    what: str, kind: type[TfgateError] = TfgateError, *, hint: str | None = None
) -> Iterator[None]:
    """Raise an ``OSError`` of the block as ``kind``: ``what``, a colon, and the system's reason."""
    try:
        yield
    except OSError as error:
        raise kind(f"{what}: {error.strerror}.", hint=hint) from None
