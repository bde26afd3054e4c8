"""The ``configuration`` of an example's plan, so that joins across resources have something.

Each change gets a block in its module, with its known values as constants and ``refers_to`` as
references: ``refers_to = { bucket = "subject" }`` is what ``bucket = aws_s3_bucket.example.id``
leaves in a plan, together with that text, as the sources have it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

SUBJECT: Final = "subject"
"""What ``refers_to`` calls the subject of the example."""
_KEYS: Final = re.compile(r'\[(?:"(?:[^"\\]|\\.)*"|[^\[\]"]*)\]')
_GONE: Final = (["delete"], ["forget"])


class Configuration:
    """A configuration that grows by blocks, outputs, variables, module calls and providers."""

    def __init__(self) -> None:
        self.root: dict[str, Any] = {}
        self.providers: dict[str, Any] = {}
        self.text = ExampleText()

    def document(self) -> dict[str, Any]:
        """Return it as in a plan."""
        return {"root_module": self.root, "provider_config": self.providers}

    def add_block(self, table: Mapping[str, Any], entry: Mapping[str, Any], subject: str) -> None:
        """Add the block of a change, once for all its instances; what is gone has none."""
        given = table.get("config")
        if given is None and entry["change"]["actions"] in _GONE:
            return
        path = _KEYS.sub("", entry.get("module_address", ""))
        resources = self._module(path).setdefault("resources", [])
        prefix = "data." if entry["mode"] == "data" else ""
        address = f"{prefix}{entry['type']}.{entry['name']}"
        if any(block["address"] == address for block in resources):
            return
        block = {
            "address": address,
            "mode": entry["mode"],
            "type": entry["type"],
            "name": entry["name"],
            "provider_config_key": entry["type"].partition("_")[0],
            "expressions": _expressions(table, entry, subject),
            "schema_version": 0,
            **_repetition(entry),
        }
        resources.append({**block, **(given or {})})
        module = tuple(re.findall(r"module\.([^.]+)", path))
        texts = _texts(resources[-1].get("expressions"))
        self.text.add(module, address, texts, shown=given is not None)

    def add_text(self, block: str, entry: Mapping[str, Any]) -> None:
        """Add what the sources say of a provider or a module call of the root module."""
        self.text.add((), block, _texts(entry.get("expressions")), shown=True)

    def _module(self, path: str) -> dict[str, Any]:
        module = self.root
        for name in re.findall(r"module\.([^.]+)", path):
            calls = module.setdefault("module_calls", {})
            call = calls.setdefault(name, {"source": f"./{name}", "module": {}})
            module = call["module"]
        return module


class ExampleText:
    """The sources of an example: what `tfgate.plan.Plan.use_sources` takes."""

    def __init__(self) -> None:
        self._written: dict[tuple[tuple[str, ...], str], Mapping[tuple[str, ...], str]] = {}
        self._whole: set[tuple[tuple[str, ...], str]] = set()

    def add(
        self,
        module: tuple[str, ...],
        block: str,
        texts: Mapping[tuple[str, ...], str],
        *,
        shown: bool,
    ) -> None:
        """Add the block of a change, with its arguments that are bare traversals.

        Where the example shows the block as plan JSON does, that is all that is known of it.
        """
        self._written[module, block] = texts
        if not shown:
            self._whole.add((module, block))

    def expression(self, module: Sequence[str], block: str, path: Sequence[str]) -> str | None:
        """Return the expression of an argument; None for what the example does not write out."""
        return self._written.get((tuple(module), block), {}).get(tuple(path))

    def dynamic(self, module: Sequence[str], block: str) -> Mapping[str, Sequence[str]] | None:
        """No block is dynamic that is made of the values of a change."""
        return {} if (tuple(module), block) in self._whole else None

    def evaluate(self, text: str, resolve: Callable[[str], Any]) -> Any:
        """Look up a traversal: an example writes out nothing else."""
        return resolve(text)


def _texts(part: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], str]:
    """Find the expressions that mention one object alone: in an example they do nothing else."""
    if type(part) is list and len(part) == 1:
        return _texts(part[0], path)
    if type(part) is not dict:
        return {}
    references = part.get("references")
    if type(references) is not list:
        return {
            key: text for name in part for key, text in _texts(part[name], (*path, name)).items()
        }
    text = _traversal(references)
    return {} if text is None else {path: text}


def _traversal(references: Sequence[str]) -> str | None:
    """Write references to one object as an attribute of one instance."""
    names = [name for name in references if name != "each.key"]
    if not names or any(not names[0].startswith(_KEYS.sub("", name)) for name in names):
        return None
    name = names[0]
    if name.startswith(("var.", "local.", "module.", "each.")):
        return name
    whole = 3 if name.startswith("data.") else 2
    if len(_KEYS.sub("", name).split(".")) > whole:
        return name
    key = "[each.key]" if len(names) < len(references) and not name.endswith("]") else ""
    return f"{name}{key}.id"


def _repetition(entry: Mapping[str, Any]) -> dict[str, Any]:
    if "index" not in entry:
        return {}
    kind = "for_each_expression" if isinstance(entry["index"], str) else "count_expression"
    return {kind: {"constant_value": [entry["index"]]}}


def _expressions(
    table: Mapping[str, Any], entry: Mapping[str, Any], subject: str
) -> dict[str, Any]:
    after = entry["change"]["after"] or {}
    expressions: dict[str, Any] = {
        name: {"constant_value": value} for name, value in after.items() if value is not None
    }
    for argument, targets in table.get("refers_to", {}).items():
        _put_reference(expressions, argument.split("."), targets, subject)
    return expressions


def _put_reference(
    expressions: dict[str, Any], steps: list[str], targets: str | list[str], subject: str
) -> None:
    """Write a reference under an argument; the blocks on the way are lists of one."""
    for step in steps[:-1]:
        inner: dict[str, Any] = {}
        expressions[step] = [inner]
        expressions = inner
    listed = [targets] if isinstance(targets, str) else targets
    expressions[steps[-1]] = {"references": list(_references(listed, subject))}


def _references(targets: Iterable[str], subject: str) -> Iterable[str]:
    """Write each target as Terraform does: an attribute, the instance, the resource."""
    for target in targets:
        if target != SUBJECT:
            yield target
            continue
        resource = _KEYS.sub("", subject)
        yield f"{subject}.id"
        yield subject
        if resource != subject:
            yield resource


def relative(address: str, module: str) -> str:
    """Return an address as its own module writes it."""
    return address[len(module) + 1 :] if module else address
