"""Random configurations of ``terraform_data``: subjects, guards that refer to them, and modules.

Every module has a seed (whose id and output nobody knows before the apply), *subjects* that rules
ask about, *guards* that refer to some of them by ``triggers_replace``, and perhaps modules of its
own, which get ids as arguments and give some back. The role stands in ``input``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tests.support.query_grammar import Grammar
from tests.support.soundness.shapes import Names, Writer

if TYPE_CHECKING:
    import random
    from pathlib import Path

_VARIABLES: Final = """\
variable "t" {
  default = true
}
variable "n" {
  default = 1
}
variable "k" {
  default = "x"
}
"""
_GIVEN: Final = """\
variable "one" {
}
variable "list" {
}
variable "map" {
}
variable "whole" {
}
variable "truth" {
}
"""
KNOWN: Final = ("var.t", "!var.t", "var.n > 1", "local.yes", "true")
UNKNOWN: Final = (
    'terraform_data.seed.output == "red"',
    "length(terraform_data.seed.id) > 3",
    'terraform_data.seed.id == "x"',
    "parseint(substr(terraform_data.seed.id, 0, 1), 16) < 8",
    "terraform_data.values.output.b == null",
)
_DEPTH: Final = 2
"""How deep modules are nested."""


class Configuration(NamedTuple):
    """The files of one, and the values of its root variables."""

    files: dict[str, str]
    variables: dict[str, Any]
    earlier: dict[str, Any] | None
    """Values with which it is applied before it is planned; ``None`` for never."""
    targets: tuple[str, ...]
    """If it is applied before, these alone (all without any)."""

    def write(self, folder: Path) -> None:
        """Write it to an empty folder."""
        for name, text in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)


def generate(chance: random.Random) -> Configuration:
    """Make a configuration; the same for the same state of ``chance``."""
    maker = _Maker(chance)
    maker.module("", _DEPTH)
    before = chance.choice(("nothing", "nothing", "other", "some"))
    variables = values_of(chance)
    earlier = {"nothing": None, "other": values_of(chance)}.get(before, variables)
    targets = ("terraform_data.s0", "terraform_data.s1") if before == "some" else ()
    return Configuration(maker.files, variables, earlier, targets)


def values_of(chance: random.Random) -> dict[str, Any]:
    return {"t": chance.random() < 0.5, "n": chance.choice((1, 2)), "k": chance.choice("xy")}


class _Maker:
    """Writes modules, each to a folder of its own."""

    def __init__(self, chance: random.Random) -> None:
        self.files: dict[str, str] = {}
        self._chance = chance
        self._writer = Writer(chance)
        self._grammar = Grammar(chance.choice)
        self._modules = 0

    def module(self, folder: str, depth: int) -> None:
        """Write one module, and those that it calls."""
        chance = self._chance
        names = Names(conditions=[*KNOWN, *UNKNOWN])
        blocks = [_VARIABLES, self._seeds()]
        locals_ = ["yes = true", 'swap = { x = "y", y = "x" }']
        if folder:
            blocks.append(_GIVEN)
            names.ids += ["var.one", "var.whole.id"]
            names.lists.append("var.list")
            names.maps.append("var.map")
            names.conditions.append("var.truth")
        subjects = range(chance.choice((2, 2, 3)))
        blocks += [self._subject(f"s{number}", names) for number in subjects]
        for _ in range(chance.choice((0, 1) if depth else (0,)) + (depth == _DEPTH)):
            inner = f"m{self._modules}"
            self._modules += 1
            self.module(f"{folder}{inner}/", depth - 1)
            blocks.append(self._call(inner, names))
        for number in range(chance.choice((0, 1, 2))):
            locals_.append(f"l{number} = {self._writer.one(names)}")
            names.ids.append(f"local.l{number}")
        guards = range(chance.choice((2, 3, 4)))
        blocks += [self._guard(f"g{number}", names) for number in guards]
        blocks.append("locals {\n" + "".join(f"  {one}\n" for one in locals_) + "}\n")
        blocks += self._outputs(names) if folder else [self._root_outputs(names)]
        self.files[f"{folder}main.tf"] = "".join(blocks)

    def _seeds(self) -> str:
        """Write what is unknown: a colour, and an object with values of any type."""
        colour = self._chance.choice(("red", "blue"))
        document = {name: self._grammar.document(2) for name in "abc"}
        return (
            f'resource "terraform_data" "seed" {{\n  input = "{colour}"\n}}\n'
            f'resource "terraform_data" "values" {{\n  input = {json.dumps(document)}\n}}\n'
        )

    def _document(self) -> str:
        """Write an object with the names that rules ask for, some of its values unknown."""
        parts = []
        for name in "abc":
            known = json.dumps(self._grammar.document(2))
            unknown = f"terraform_data.values.output.{self._chance.choice('abc')}"
            several = f"[{unknown}, {known}]"
            condition = f"{self._chance.choice(UNKNOWN)} ? 1 : 2"
            parts.append(f"{name} = {self._chance.choice((known, unknown, several, condition))}")
        return ", ".join(parts)

    def _subject(self, name: str, names: Names) -> str:
        """Write a resource that rules ask about, and add what others may name of it."""
        address = f"terraform_data.{name}"
        kind = self._chance.choice(("single", "single", "count", "for_each"))
        if kind == "single":
            names.ids += [f"{address}.id"] * 2
        elif kind == "count":
            names.ids += [f"{address}[0].id", f"{address}[1].id", f"{address}[var.n - 1].id"]
            names.lists += [f"{address}[*].id", f"[for e in {address} : e.id]"]
        else:
            names.ids += [f'{address}["x"].id', f"{address}[var.k].id"]
            names.maps.append(f"{{ for k, e in {address} : k => e.id }}")
            names.lists.append(f"values({address})[*].id")
        role = self._chance.choice(("subject", "subject", "other"))
        on = self._chance.choice(names.conditions)
        lines = [f'input = {{ role = "{role}", on = {on}, {self._document()} }}']
        if self._chance.random() < 0.2:
            lines.append('triggers_replace = "${var.t}-${var.k}"')
        return _block(name, kind, lines)

    def _guard(self, name: str, names: Names) -> str:
        """Write a resource that refers to others, in one argument or more."""
        chance = self._chance
        kind = chance.choice(("single", "single", "single", "count", "each", "values", "resources"))
        inside, each = names, 'toset(["x", "y"])'
        if kind == "count":
            inside = names.with_index()
        elif kind == "each":
            inside = names.with_key(None)
        elif kind == "values":
            inside = names.with_key("each.value")
            each = f"{{ x = {self._writer.one(names)}, y = {self._writer.one(names)} }}"
        elif kind == "resources":
            inside = names.with_key("each.value.r")
            each = f'{{ for k in ["x", "y"] : k => {{ r = {self._writer.one(names)} }} }}'
        on = chance.choice(names.conditions)
        role = chance.choice(("guard", "guard", "guard", "other"))
        lines = [f'input = {{ role = "{role}", on = {on}, {self._document()} }}']
        if chance.random() < 0.9:
            lines.append(f"triggers_replace = {self._writer.expression(inside)}")
        if chance.random() < 0.1:
            lines.append("depends_on = [terraform_data.s0]")
        if chance.random() < 0.1:
            lines.append("lifecycle {\n    create_before_destroy = true\n  }")
        return _block(name, kind if kind in ("single", "count") else "for_each", lines, each)

    def _call(self, name: str, names: Names) -> str:
        """Write a call of a module that lies in a folder beside, and add what it gives back."""
        kind = self._chance.choice(("single", "single", "count", "each", "values"))
        head, inside, own = "", names, f"module.{name}"
        if kind == "count":
            head, inside, own = "  count = 2\n", names.with_index(), f"module.{name}[0]"
        elif kind != "single":
            each = 'toset(["x", "y"])'
            inside = names.with_key("each.value" if kind == "values" else None)
            if kind == "values":
                each = f"{{ x = {self._writer.one(names)}, y = {self._writer.one(names)} }}"
            head, own = f"  for_each = {each}\n", f"module.{name}[var.k]"
        write = self._writer
        arguments = {
            "one": write.one(inside),
            "list": f"[{write.one(inside)}, {write.one(inside)}]",
            "map": f"{{ x = {write.one(inside)}, y = {write.one(inside)} }}",
            "whole": f"{{ id = {write.one(inside)} }}",
            "truth": write.condition(names),
            "t": write.condition(Names(conditions=list(KNOWN))),
            "n": "var.n",
            "k": "var.k" if kind in ("single", "count") else "each.key",
        }
        if kind == "count":
            names.lists.append(f"module.{name}[*].one")
        if kind == "single":
            names.lists.append(f"{own}.list")
            names.maps.append(f"{own}.map")
        names.ids += [f"{own}.one", f"{own}.whole.id", f"{own}.shaped"]
        body = "".join(f"  {key} = {value}\n" for key, value in arguments.items())
        return f'module "{name}" {{\n  source = "./{name}"\n{head}{body}}}\n'

    def _outputs(self, names: Names) -> list[str]:
        pick = self._chance.choice
        own = [name for name in names.ids if name.startswith("terraform_data.")]
        whole = pick(own).removesuffix(".id")
        given = {
            "one": pick(own),
            "whole": whole,
            "shaped": self._writer.one(names),
            "list": pick([*names.lists, f"[{pick(own)}, {pick(own)}]"]),
            "map": pick([*names.maps, f"{{ x = {pick(own)}, y = {pick(own)} }}"]),
        }
        return [output(name, value) for name, value in given.items()]

    def _root_outputs(self, names: Names) -> str:
        made = output("shaped", self._writer.expression(names))
        return made + output("document", f"{{ {self._document()} }}")


def output(name: str, value: str) -> str:
    return f'output "{name}" {{\n  sensitive = true\n  value = {value}\n}}\n'


def _block(name: str, kind: str, lines: list[str], each: str = 'toset(["x", "y"])') -> str:
    head = {"single": "", "count": "  count = 2\n", "for_each": f"  for_each = {each}\n"}[kind]
    body = "".join(f"  {line}\n" for line in lines)
    return f'resource "terraform_data" "{name}" {{\n{head}{body}}}\n'
