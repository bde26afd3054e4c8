"""Tree to text: JMESPath that parses to the same tree, for traces and errors."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from tfgate.model.text import late

if TYPE_CHECKING:
    from collections.abc import Callable

    from tfgate.query.nodes.node import Ast

_PLAIN_NAME: Final = late(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_SIGNS: Final = {"eq": "==", "ne": "!=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}

_TIGHT: Final = frozenset(
    {
        "field",
        "current",
        "identity",
        "literal",
        "function_expression",
        "multi_select_list",
        "multi_select_dict",
        "index_expression",
    }
)
"""Types that an index may follow, and that a ``!`` may stand before, without parentheses."""

_DOTTED: Final = _TIGHT | {"subexpression"}
"""Types that a dot, a filter or a flatten may follow without parentheses."""

_PROJECTIONS: Final = frozenset({"projection", "filter_projection", "value_projection", "flatten"})


def unparse(node: Ast) -> str:
    """Write a node as an expression."""
    return _WRITERS[node["type"]](node)


def _name(text: str) -> str:
    return text if _PLAIN_NAME.fullmatch(text) else json.dumps(text)


def _field(node: Ast) -> str:
    return _name(node["value"])


def _literal(node: Ast) -> str:
    constant = node["value"]
    if type(constant) is str and "'" not in constant and "\\" not in constant:
        return f"'{constant}'"
    return "`" + json.dumps(constant).replace("`", "\\`") + "`"


def _within(node: Ast, bare: frozenset[str]) -> str:
    """Write a node, in parentheses unless its type is one of ``bare``."""
    text = unparse(node)
    return text if node["type"] in bare and not _runs_on(node) else f"({text})"


def _runs_on(node: Ast) -> bool:
    """Whether what follows a dotted path would go into a projection at its end."""
    while node["type"] == "subexpression":
        node = node["children"][-1]
        if node["type"] in _PROJECTIONS:
            return True
    return False


def _operand(node: Ast, loose: frozenset[str]) -> str:
    text = unparse(node)
    return f"({text})" if node["type"] in loose else text


def _subexpression(node: Ast) -> str:
    first, *rest = node["children"]
    return _within(first, _DOTTED) + "".join(_after_dot(part) for part in rest)


def _after_dot(node: Ast) -> str:
    if node["type"] in _PROJECTIONS or node["type"] == "index_expression":
        return _suffix(node)
    return f".{unparse(node)}"


def _suffix(node: Ast) -> str:
    """Write a projection's right side behind its left one."""
    if node["type"] == "identity":
        return ""
    text = unparse(node)
    return text if text.startswith("[") and _begins_here(node) else f".{text}"


def _begins_here(node: Ast) -> bool:
    """Whether the leftmost part of a bracket expression is the current value."""
    while node["type"] not in ("identity", "multi_select_list", "multi_select_dict", "literal"):
        if not node["children"] or node["type"] in ("function_expression", "not_expression"):
            return False
        node = node["children"][0]
    return bool(node["type"] == "identity")


def _index_expression(node: Ast) -> str:
    first, *rest = node["children"]
    return _within(first, _TIGHT) + "".join(unparse(part) for part in rest)


def _index(node: Ast) -> str:
    return f"[{node['value']}]"


def _slice(node: Ast) -> str:
    start, stop, step = ("" if part is None else str(part) for part in node["children"])
    return f"[{start}:{stop}:{step}]" if step else f"[{start}:{stop}]"


def _projection(node: Ast) -> str:
    base, body = node["children"]
    if base["type"] == "flatten":
        return f"{unparse(base)}{_suffix(body)}"
    if base["type"] == "index_expression" and base["children"][-1]["type"] == "slice":
        return f"{unparse(base)}{_suffix(body)}"
    return f"{_within(base, _TIGHT)}[*]{_suffix(body)}"


def _value_projection(node: Ast) -> str:
    base, body = node["children"]
    before = "" if base["type"] == "identity" else f"{_within(base, _DOTTED)}."
    return f"{before}*{_suffix(body)}"


def _filter_projection(node: Ast) -> str:
    base, body, condition = node["children"]
    return f"{_within(base, _DOTTED)}[?{unparse(condition)}]{_suffix(body)}"


def _flatten(node: Ast) -> str:
    base = node["children"][0]
    # A flatten ends a projection, whatever it stands behind.
    text = unparse(base)
    return f"{text}[]" if base["type"] in _DOTTED | _PROJECTIONS else f"({text})[]"


def _list(node: Ast) -> str:
    return f"[{', '.join(map(unparse, node['children']))}]"


def _hash(node: Ast) -> str:
    pairs = (f"{_name(p['value'])}: {unparse(p['children'][0])}" for p in node["children"])
    return f"{{{', '.join(pairs)}}}"


_LOOSER_THAN_AND: Final = frozenset({"or_expression", "pipe", "expref"})
_LOOSER_THAN_COMPARATOR: Final = _LOOSER_THAN_AND | {"and_expression", "comparator"}


def _binary(sign: str, loose: frozenset[str]) -> Callable[[Ast], str]:
    def write(node: Ast) -> str:
        # Chains group to the left: what is grouped to the right keeps its parentheses.
        kind = node["type"]
        operands = []
        while True:
            left, right = node["children"]
            operands.append(_operand(right, loose | {kind}))
            if left["type"] != kind or kind in loose:
                break
            node = left  # in a loop: a chain may be longer than the stack is deep
        operands.append(_operand(left, loose))
        return f" {sign} ".join(reversed(operands))

    return write


def _comparator(node: Ast) -> str:
    return _binary(_SIGNS[node["value"]], _LOOSER_THAN_COMPARATOR)(node)


def _not(node: Ast) -> str:
    return f"!{_within(node['children'][0], _TIGHT | {'not_expression'})}"


def _expref(node: Ast) -> str:
    return f"&{unparse(node['children'][0])}"


def _function(node: Ast) -> str:
    return f"{node['value']}({', '.join(map(unparse, node['children']))})"


_WRITERS: Final[dict[str, Callable[[Any], str]]] = {
    "field": _field,
    "current": lambda node: "@",
    "identity": lambda node: "",
    "literal": _literal,
    "subexpression": _subexpression,
    "index_expression": _index_expression,
    "index": _index,
    "slice": _slice,
    "projection": _projection,
    "value_projection": _value_projection,
    "filter_projection": _filter_projection,
    "flatten": _flatten,
    "multi_select_list": _list,
    "multi_select_dict": _hash,
    "and_expression": _binary("&&", _LOOSER_THAN_AND),
    "or_expression": _binary("||", frozenset({"pipe", "expref"})),
    "pipe": _binary("|", frozenset({"expref"})),
    "comparator": _comparator,
    "not_expression": _not,
    "expref": _expref,
    "function_expression": _function,
}
