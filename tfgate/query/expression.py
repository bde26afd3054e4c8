"""A compiled expression: its value, its verdict, and what it reads."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from tfgate.query.compiler import Compiler
from tfgate.query.errors import BudgetError, EvaluationError, ExpressionError
from tfgate.query.functions.registry import NOT_LITERAL, FunctionTable
from tfgate.query.parsing import parse
from tfgate.query.paths import given_reads, reads
from tfgate.query.state import SMALL, STEPS, State
from tfgate.query.trace import trace
from tfgate.query.values import UNKNOWN, measure, published, truth

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from tfgate.query.state import Meter
    from tfgate.query.trace import Step
    from tfgate.query.tree import Tree

    _MakeCompiler = Callable[[str, Tree, FunctionTable, Collection[str]], Compiler]

_METERED: Final = STEPS - SMALL


class Judgement(State):
    """What an expression comes to on one document: the state that its evaluation ends in.

    ``may_raise`` says that some completion may raise.
    """

    raw: Any = None
    """The value as the evaluator has it, with its narrow unknowns."""
    truth: bool | None = None
    """JMESPath truthiness on all completions that raise nothing, None where these differ."""

    @cached_property
    def value(self) -> Any:
        """The value: JSON, `UNKNOWN` and `SENSITIVE` at any depth, `Maybe` elements in lists.

        BudgetError where it is too large to be gone through.
        """
        return _outside(self.raw, self)

    @property
    def verdict(self) -> bool | None:
        """The truth if no completion raises, else None."""
        return None if self.may_raise else self.truth

    def __repr__(self) -> str:
        return f"Judgement(truth={self.truth}, may_raise={self.may_raise})"


class Expression:
    """A JMESPath expression, compiled; it can be evaluated any number of times, in any thread."""

    def __init__(
        self,
        text: str,
        functions: FunctionTable | None = None,
        *,
        variables: Collection[str] = (),
        compiler_type: type[Compiler] | _MakeCompiler = Compiler,
    ) -> None:
        self.text = text
        compiler = compiler_type(text, parse(text), functions or _default_table(), variables)
        try:
            self.node = compiler.compile()
        except RecursionError:
            raise ExpressionError("The expression is too deep.", expression=text) from None
        self._value = self.node.value
        self._test = self.node.test
        self.problems: tuple[ExpressionError, ...] = tuple(compiler.problems)
        """Parts that JMESPath accepts and that are certainly mistakes: a standard function called
        with a literal of a wrong type, ``!a.b``, which means ``(!a).b``, and a ``let`` that binds
        a name twice or one that is given. Loaders may refuse an expression that has any."""
        self.functions: frozenset[str] = frozenset(name for name, _ in compiler.calls)
        """Names of the functions called."""
        self.calls: tuple[tuple[str, tuple[Any, ...] | None], ...] = tuple(
            (name, None if any(a is NOT_LITERAL for a in arguments) else arguments)
            for name, arguments in compiler.calls
        )
        """Each call in the order of the source, with its arguments where all are literals."""

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    @cached_property
    def reads(self) -> frozenset[tuple[str, ...]]:
        """Field paths read from the document, list steps omitted; ``()`` is the whole document."""
        return reads(self.node.tree)

    @cached_property
    def variables(self) -> Mapping[tuple[str, ...], int | None]:
        """Variables given from outside and the fields read below each, with where that is.

        ``$params.max`` has ``("params",)`` and ``("params", "max")``; the value is the 0-based
        column. List steps are omitted, and a variable of a ``let`` is the value it is bound to.
        """
        return given_reads(self.node.tree)

    def search(self, document: Any, scope: Any = None) -> Any:
        """Return the value, as `jmespath.search` does.

        A value without `UNKNOWN` in it is the value on every completion of the document, none of
        which raises. Where some completion may raise, the value is `UNKNOWN`; so is a list in it
        whose length is not known. EvaluationError says that every completion raises.
        """
        state = State()
        if scope is not None:
            state.scope = scope
        try:
            value = self._value(document, state)
            if state.may_raise:
                return UNKNOWN
        except RecursionError:
            raise _too_deep() from None
        return _outside(value, state, lists=False)

    def verdict(self, document: Any, scope: Any = None, meter: Meter | None = None) -> bool | None:
        """Whether the result is truthy on every completion (True), or on none (False).

        None where completions differ, or where one raises (every one included). ``meter`` counts
        what it takes.
        """
        state = State()
        if scope is not None:
            state.scope = scope
        try:
            known = self._test(document, state)
        except (EvaluationError, RecursionError):
            known = None
        if state.left < _METERED and meter is not None:
            meter.take(state)
        return None if state.may_raise else known

    def judge(self, document: Any, scope: Any = None, meter: Meter | None = None) -> Judgement:
        """Return value, truth and whether some completion raises; EvaluationError if all do.

        ``meter`` counts what it takes.
        """
        judgement = Judgement()
        if scope is not None:
            judgement.scope = scope
        try:
            value = judgement.raw = self._value(document, judgement)
        except RecursionError:
            raise _too_deep() from None
        finally:
            if judgement.left < _METERED and meter is not None:
                meter.take(judgement)
        judgement.truth = value if value is True or value is False else truth(value)
        return judgement

    def trace(self, document: Any, scope: Any = None) -> list[Step]:
        """Return each part of the expression with what it comes to on this document."""
        return trace(self.node, document, scope)


def _outside(value: Any, state: State, *, lists: bool = True) -> Any:
    """Return what the outside may see of a value that the outside can go through."""
    if not measure(value, state):
        return value
    try:
        return published(value, lists=lists)
    except RecursionError:
        raise _too_deep() from None


def _too_deep() -> BudgetError:
    return BudgetError("The document is nested too deeply for this expression.")


_DEFAULT: list[FunctionTable] = []  # made when first asked for: it loads all functions


def _default_table() -> FunctionTable:
    if not _DEFAULT:
        _DEFAULT.append(FunctionTable.default())
    return _DEFAULT[0]
