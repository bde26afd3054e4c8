"""Expressions of HCL that name one resource or another, as people write them and as nobody should.

A shape is a text with holes, which `Writer.expression` fills: ``$a`` and ``$b`` are ids of
resources, ``$c`` a condition, ``$i`` the number 0 or 1, ``$k`` the key ``x`` or ``y``, ``$s`` a
list of two ids and ``$m`` a map of two with these keys. Conditions, numbers and keys are known when
the configuration is planned, or not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import random

ONE: Final = (
    "$a",
    '"${$a}"',
    "$c ? $a : $b",
    "coalesce($a, $b)",
    "coalesce(null, $a)",
    'coalesce($c ? $a : "", $b)',
    "[$b, $a][$i]",
    "element([$a, $b], $i)",
    "{ x = $a, y = $b }[$k]",
    "lookup({ x = $a }, $k, $b)",
    'replace($a, "/^nothing$/", "z")',
    "lower($a)",
    "jsondecode(jsonencode([$a, $b]))[$i]",
    'format("%s", $a)',
    'split("/", "${$a}/${$b}")[$i]',
    "try($a, $b)",
    "try(tolist([])[0], $a)",
    "one([$a])",
    "[for e in [$a, $b] : e][$i]",
    "concat([for e in [$a, $b] : e if $c], [$b])[0]",
    "[for k, v in { x = $a, y = $b } : v if k == $k][0]",
    "merge({ r = $a }, { r = $b }).r",
    "merge({ x = $a }, { y = $b })[$k]",
    "concat([$a], [$b])[$i]",
    "reverse([$a, $b])[$i]",
    "slice([$a, $b], 1, 2)[0]",
    "flatten([[$a], [$b]])[$i]",
    'compact(["", $a])[0]',
    "sort([$a, $b])[$i]",
    'zipmap(["x", "y"], [$a, $b])[$k]',
    "values({ x = $a, y = $b })[$i]",
    "tolist([$a, $b])[$i]",
    "sensitive($a)",
    'trimprefix($a, "nothing")',
    '"%{ if $c }${$a}%{ else }${$b}%{ endif }"',
    "$s[$i]",
    "element($s, $i)",
    "one(slice($s, 0, 1))",
    "$m[$k]",
    "values($m)[$i]",
    "[for k, v in $m : v if k == $k][0]",
    'lookup($m, $k, "none")',
    "concat([for e in $s : e if e == $a], $s)[0]",
    "try($m.z, $m[$k])",
)
"""Shapes whose value is the id of one resource (some fail, which Terraform says)."""

ANY: Final = (
    '"pre-${$a}-post"',
    '"${$a}${$b}"',
    'format("%.0s%s", $a, $b)',
    '$c ? $a : "none"',
    "$c ? $a : null",
    "[$a, $b]",
    "{ x = $a, y = $b }",
    "{ x = { y = [$a] } }",
    'replace($a, "/.*/", "z")',
    'replace($a, "-", "_")',
    '"x${length($a)}"',
    "length($a)",
    "substr($a, 0, 8)",
    "sha256($a)",
    "upper($a)",
    "base64encode($a)",
    "jsonencode({ r = $a })",
    'join(",", [$a, $b])',
    "can($a)",
    "[for e in [$a, $b] : e if $c]",
    '[for e in [$a] : "fixed"]',
    'toset(["fixed", $a])',
    "keys({ ($a) = 1 })",
    "{ for k, v in { x = $a, y = $b } : v => k if k == $k }",
    "contains([$a], $b)",
    "$a == $b",
    '$a != "" ? "y" : "x"',
    '"%{ for e in [$a, $b] }${e},%{ endfor }"',
    "$s",
    "$m",
    'join("", $s)',
    "length($s)",
    "[for e in $s : upper(e)]",
    "one([for e in $s : e if false])",
    '"constant"',
    "null",
)
"""Shapes whose value is anything: several ids, a part of one, or nothing of them."""

_HOLE: Final = re.compile(r"\$([abcikms])\b")


@dataclass
class Names:
    """What the expressions of a module, or of one block in it, may name."""

    ids: list[str] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)
    maps: list[str] = field(default_factory=list)
    conditions: list[str] = field(default_factory=list)
    indexes: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def with_index(self) -> Names:
        """Names inside of a block with ``count = 2``."""
        return replace(self, indexes=["count.index", "1 - count.index"])

    def with_key(self, value: str | None) -> Names:
        """Names inside of a block with ``for_each``; ``value`` is an id that it gives each."""
        ids = self.ids if value is None else [*self.ids, *[value] * (1 + len(self.ids))]
        return replace(self, ids=ids, keys=["each.key", 'each.key == "x" ? "y" : "x"'])


class Writer:
    """Fills shapes."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def expression(self, names: Names, depth: int = 1) -> str:
        """Write an expression with any value."""
        return self._fill(
            self._chance.choice(ANY if self._chance.random() < 0.4 else ONE), names, depth
        )

    def one(self, names: Names, depth: int = 1) -> str:
        """Write an expression that most often is one id."""
        return self._fill(self._chance.choice(ONE), names, depth)

    def _fill(self, shape: str, names: Names, depth: int) -> str:
        return _HOLE.sub(lambda hole: self._hole(hole[1], names, depth), shape)

    def _hole(self, kind: str, names: Names, depth: int) -> str:
        pick = self._chance.choice
        if kind in "ab":
            if depth > 0 and self._chance.random() < 0.25:
                return f"({self.one(names, depth - 1)})"
            return pick(names.ids)
        if kind == "c":
            return f"({self.condition(names)})"
        condition = self.condition(names)
        if kind == "i":
            return pick([*names.indexes, "0", "1", f"({condition} ? 0 : 1)"])
        if kind == "k":
            unsure = condition + ' ? "x" : "y"'
            return f"({pick([*names.keys, 'var.k', unsure])})"
        ids = (pick(names.ids), pick(names.ids))
        if kind == "s":
            return f"({pick([*names.lists, f'[{ids[0]}, {ids[1]}]'])})"
        return f"({pick([*names.maps, f'{{ x = {ids[0]}, y = {ids[1]} }}'])})"

    def condition(self, names: Names) -> str:
        """Write something that is true or false."""
        return self._chance.choice(names.conditions)
