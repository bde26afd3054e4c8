"""Walks a configuration block by block, for rules on sources, and reads what is in each.

Terraform merges the ``terraform`` blocks of a module, wherever they stand, and so do we: a rule
that asks for ``required_version`` in each would be wrong about most of them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

from tfgate.errors import Problem
from tfgate.hcl.expressions import TOO_DEEP, read_block
from tfgate.hcl.index import ModuleNode, SourceIndex
from tfgate.hcl.jsonsyntax import json_view
from tfgate.hcl.lexical import ScanError
from tfgate.hcl.paths import find_path, path_steps
from tfgate.hcl.scanner import Block
from tfgate.hcl.sources import JSON, SourceFile, addresses_of
from tfgate.hcl.subject import TYPED, UNREADABLE, Addresses, Contents, SourceBlock, Users
from tfgate.hcl.values import Expressions, Unknowns
from tfgate.model.address import Location
from tfgate.query.values import UNKNOWN, Unknown


class _Chosen(NamedTuple):
    """A file, and the blocks of it that are wanted."""

    file: SourceFile
    blocks: list[Block]


def blocks(
    index: SourceIndex,
    *,
    kinds: Collection[str] = (),
    types: Collection[str] = (),
    merged: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[SourceBlock]:
    """Return every block of the configuration, module by module and file by file, each once.

    ``kinds`` and ``types`` (exact names; empty for all) say which are wanted: a file without any is
    not parsed. What cannot be read comes as a block with an ``error``, whatever is wanted, since
    anything could be in it.

    With ``merged`` the ``terraform`` blocks of a module come as one, as Terraform takes them, and
    every module has one, if empty. What ``terraform init`` downloaded is not part of what is under
    review, and left out.

    ``progress`` is called after each file: how many are parsed, and how many there are to parse.
    """
    directories = [(users, _choose(users.first, kinds, types)) for users in _directories(index)]
    total = sum(bool(one.blocks) for _, files in directories for one in files)
    done = 0
    for users, files in directories:
        parts: list[tuple[bool, SourceBlock]] = []
        for file, wanted in files:
            for block in wanted:
                one = _source_block(file, users, block)
                if merged and block.kind == SETTINGS:
                    parts.append((file.override, one))
                else:
                    yield one
            if wanted and progress is not None:
                done += 1
                progress(done, total)
        if merged and (not kinds or SETTINGS in kinds):
            yield settings_block(users, parts)
        for problem in users.first.source.problems:
            yield _unreadable(users, problem)


def _directories(index: SourceIndex) -> Iterator[Users]:
    """Return the modules that are under review, those that use the same directory together."""
    for using in index.directories():
        nodes = [node for node in using if not node.downloaded]
        if nodes:
            yield Users(nodes[0], tuple(node.address for node in nodes))


def _choose(node: ModuleNode, kinds: Collection[str], types: Collection[str]) -> list[_Chosen]:
    return [
        _Chosen(file, [block for block in file.body.blocks if _wanted(block, kinds, types)])
        for file in node.source.files
    ]


def _wanted(block: Block, kinds: Collection[str], types: Collection[str]) -> bool:
    if kinds and block.kind not in kinds:
        return False
    return (
        not types or block.kind not in TYPED or block.labels[:1] == () or (block.labels[0] in types)
    )


def _source_block(file: SourceFile, users: Users, block: Block) -> SourceBlock:
    name = next(addresses_of(file, block), None)
    return SourceBlock(
        block.kind,
        block.labels,
        Location(file.name, block.line, block.end_line, users.first.chain),
        Addresses(users.addresses, name) if name else (file.name,),
        users.addresses,
        contents(file, block),
        partial(_find, file, users.first, block),
    )


def _find(file: SourceFile, node: ModuleNode, block: Block, path: str) -> Location:
    """Return the place of a path in a block: the line of its longest part that is there."""
    steps = path_steps(path)
    (line, end_line), _ = find_path(file, block, steps)
    return Location(file.name, line, end_line, node.chain)


def _unreadable(users: Users, problem: Problem) -> SourceBlock:
    location = Location(problem.file, problem.line or 1, None, users.first.chain)
    message = Contents({}, dict, problem.message)
    return SourceBlock(UNREADABLE, (), location, (problem.file,), users.addresses, message)


def contents(file: SourceFile, block: Block) -> Contents:
    """Read what is in ``block``, in either syntax."""
    text = file.text or ""
    try:
        if file.syntax is JSON:
            written = _read_json(text[block.opened - 1 : block.closed + 1])
            known = json_view(written, unknown=True)
            return Contents(known, lambda: json_view(written, unknown=False))
        body = read_block(text, block)
        return Contents(Unknowns(text).body(body), lambda: Expressions(text).body(body))
    except ScanError as error:
        line = block.line + text.count("\n", block.start, error.offset)
        return _failed(file, min(line, block.end_line), error.message)
    except RecursionError:
        return _failed(file, block.line, TOO_DEEP)
    except ValueError:
        return _failed(file, block.line, "a literal in this block is none that HCL has")


def _failed(file: SourceFile, line: int, message: str) -> Contents:
    """Say it once among the problems of the sources, and in the block."""
    file.report(f"{message}: it is located, its values are not known", line)
    return Contents({}, dict, f"{message} (line {line})")


def _read_json(text: str) -> dict[str, Any]:
    """Read an object. Raises ValueError for what Terraform refuses, such as a name given twice."""

    def whole(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len([name for name, _ in pairs if name != "//"]):
            raise ValueError("a name is given twice")
        return found

    def no_number(name: str) -> None:
        raise ValueError(f"{name} is no JSON")

    read: dict[str, Any] = json.loads(text, object_pairs_hook=whole, parse_constant=no_number)
    return read


SETTINGS = "terraform"
"""The kind of block whose blocks are one."""
_REPLACED = ("backend", "cloud")
"""Nested blocks of which there is one: that of an override file, where it has one."""
_NEEDING = ("resource", "data", "ephemeral", "list")
"""Kinds whose type begins with the local name of its provider."""
_BUILT_IN = frozenset({"terraform"})


def settings_block(users: Users, parts: Sequence[tuple[bool, SourceBlock]]) -> SourceBlock:
    """Return one block for all ``terraform`` blocks of a module; each part says if it overrides.

    Its place is that of the first; without any, the top of the module's first file.
    """
    ordered = [block for _, block in sorted(parts, key=lambda part: part[0])]
    errors = [block.error for block in ordered if block.error is not None]
    known = _merged([(override, block.known) for override, block in parts])
    found = Contents(
        {} if errors else known,
        lambda: _merged([(override, block.value) for override, block in parts]),
        errors[0] if errors else None,
    )
    return SourceBlock(
        SETTINGS,
        (),
        ordered[0].location if ordered else _top(users.first),
        Addresses(users.addresses, SETTINGS),
        users.addresses,
        found,
        lambda path: _find_setting(ordered, users.first, path),
        lru_cache(maxsize=1)(
            lambda: {"blocks": _counts(users.first), "providers": _providers(users.first, known)}
        ),
    )


def _top(node: ModuleNode) -> Location:
    files = node.source.files
    name = files[0].name if files else f"{node.source.directory.name}/"
    return Location(name, 1, None, node.chain)


def _merged(parts: Sequence[tuple[bool, dict[str, Any]]]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for override, part in sorted(parts, key=lambda one: one[0]):
        for name, value in part.items():
            before = body.get(name)
            replaces = override and name in _REPLACED
            if isinstance(value, list) and isinstance(before, list) and not replaces:
                body[name] = [*before, *value]
            else:
                body[name] = value
    return body


def _find_setting(blocks: Sequence[SourceBlock], node: ModuleNode, path: str) -> Location:
    """Look in the last block that has the first step, and has a line of its own for it."""
    first = path.partition(".")[0].partition("[")[0]
    having = [block for block in blocks if first in block.known]
    if having:
        return having[-1].place(path)
    return blocks[0].location if blocks else _top(node)


def _counts(node: ModuleNode) -> dict[str, int]:
    return dict(
        sorted(
            Counter(block.kind for file in node.source.files for block in file.body.blocks).items()
        )
    )


def _providers(node: ModuleNode, known: dict[str, Any]) -> list[dict[str, Any]]:
    """List the providers of a module: those it requires, and those its blocks use.

    ``path`` leads to the requirement in the ``terraform`` block, where there is one.
    """
    required = _required(known)
    used = _used(node)
    return [
        {"name": name, "required": name in required, "used": name in used, **_facts(name, required)}
        for name in sorted({*required, *used} - _BUILT_IN)
    ]


def _facts(name: str, required: dict[str, Any]) -> dict[str, Any]:
    requirement = required.get(name)
    path = f"required_providers.{name}" if name in required else "required_providers"
    if isinstance(requirement, dict):
        source, version = requirement.get("source"), requirement.get("version")
    elif isinstance(requirement, Unknown):
        source, version = UNKNOWN, UNKNOWN
    else:
        # Up to Terraform 0.12 the version alone was written.
        source, version = None, requirement
    return {"source": source, "version": version, "path": path}


def _required(known: dict[str, Any]) -> dict[str, Any]:
    listed = known.get("required_providers")
    found: dict[str, Any] = {}
    for entry in listed if isinstance(listed, list) else [listed]:
        if isinstance(entry, dict):
            found.update(entry)
    return found


def _provider(file: SourceFile, block: Block) -> str:
    """Return the local name of a block's provider: as its argument says, or as its type does."""
    text = file.text or ""
    # Few blocks say it, and looking into each would cost more than all the rest.
    says = text.find("provider", block.opened, block.closed) >= 0
    chosen = file.expression(block, "provider") if says else None
    return (chosen or block.labels[0].partition("_")[0]).partition(".")[0].strip('"')


def _used(node: ModuleNode) -> set[str]:
    names = set()
    for file in node.source.files:
        for block in file.body.blocks:
            if block.kind == "provider" and block.labels:
                names.add(block.labels[0])
            elif block.kind in _NEEDING and block.labels:
                names.add(_provider(file, block))
    return names
