"""Addresses as a plan writes them, and as the configuration declares them.

``module.net["a"].aws_subnet.x[0]`` is one instance; ``module.net.aws_subnet.x`` is what the
configuration declares, its *config address*.
"""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from tfgate.model.text import late

_ESCAPES = str.maketrans({'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})
_TEMPLATE = late(r"([$%])(?=\{)")
_MODULE = late(r'module\.([^.\[]+)(\["(?:[^"\\]|\\.)*"\]|\[[^\[\]]*\])?')
_INDEX = late(r'\[(?:\d+|"(?:[^"\\]|\\.)*")\]', re.DOTALL)


def config_address(address: str) -> str:
    """Return ``address`` without the index of any resource or module instance."""
    return _INDEX.sub("", address) if "[" in address else address


def split_modules(address: str) -> tuple[tuple[str, ...], str]:
    """Split a config address into the names of its module calls and the rest.

    The rest of a module call's own address is ``module.NAME``; of a root address, all of it.
    """
    parts = address.split(".")
    calls: list[str] = []
    while len(parts) > 2 and parts[0] == "module":
        calls.append(parts[1])
        parts = parts[2:]
    return tuple(calls), ".".join(parts)


@lru_cache(maxsize=4096)
def module_instances(address: str) -> tuple[tuple[str, str], ...]:
    """Take the address of a module instance apart: call and key with its brackets, outermost first.

    ``module.net["a"].module.b`` gives ``(("net", '["a"]'), ("b", ""))``.
    """
    return tuple((match[1], match[2] or "") for match in _MODULE.finditer(address))


def join_modules(calls: tuple[str, ...], rest: str = "") -> str:
    """Write the config address of ``rest`` inside the module calls ``calls``."""
    prefix = "".join(f"module.{name}." for name in calls)
    return prefix + rest if rest else prefix[:-1]


def block_covers(declared: str, address: str) -> bool:
    """Whether what ``declared`` names covers ``address`` (of an instance, or not).

    ``declared`` is a config address, which covers all its instances in all instances of the
    modules around it, or ``module.a.*``, which covers that module call and everything inside it.
    Nothing is matched by accident: names hold no wild characters, and keys are left out.
    """
    plain = config_address(address)
    if declared.endswith(".*"):
        return plain == declared[:-2] or plain.startswith(declared[:-1])
    return plain == declared


def instance_address(
    module: str, mode: str, kind: str, name: str, index: int | str | None = None
) -> str:
    """Write the address of an instance as Terraform does: ``module.a.data.aws_ami.x["k"]``.

    ``module`` is the module instance's address, ``""`` for the root module.
    """
    parts = [module] if module else []
    if mode not in ("", "managed"):
        parts.append(mode)
    key = "" if index is None else f"[{quoted_key(index)}]"
    return ".".join((*parts, kind, f"{name}{key}"))


def quoted_key(index: int | str) -> str:
    """Write a key of an instance as an address has it: a number, or a string of HCL in quotes.

    As ``StringKey.String`` in Terraform's ``internal/addrs``: templates are escaped by doubling
    their first character, and what does not print by its number.
    """
    if not isinstance(index, str):
        return str(index)
    text = _TEMPLATE.sub(r"\1\1", index.translate(_ESCAPES))
    if not text.isprintable():
        text = "".join(char if char.isprintable() else _number(char) for char in text)
    return f'"{text}"'


def _number(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


class Location(msgspec.Struct, frozen=True, omit_defaults=True):
    """A place in a source file, with the chain of module calls that leads there."""

    file: str
    """Path relative to the root directory of the configuration, with ``/``."""
    line: int
    """1-based first line."""
    end_line: int | None = None
    """1-based last line, where known."""
    calls: tuple[Location, ...] = ()
    """The module calls from the root to here, outermost first; each without ``calls`` itself."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"

    def chain(self) -> str:
        """Write ``main.tf:12 → modules/net/main.tf:40``."""
        return " → ".join(str(place) for place in (*self.calls, self))
