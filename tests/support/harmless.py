"""What is wrong with an output that hostile texts went into, by the form it has."""

from __future__ import annotations

import csv
import io
import json
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

from markdown_it import MarkdownIt

from tests.support.hostile import EVIL, commands_in, invisible_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OWN_MARKUP = ("<details>", "</details>", "<summary>", "</summary>", "<br>", "<!--", "<b>", "</b>")


def problems(name: str, data: bytes, *, machine: bool = False) -> list[str]:
    """Say what is wrong with any output, whose name is ``name``.

    ``machine`` says that no log shows it.
    """
    text = data.decode("utf-8", "surrogateescape").replace("\r\n", "\n")
    found = [f"{name}: {one}" for one in invisible_in(text)]
    if not machine:
        found += [f"{name}: {one!r}" for one in commands_in(text)]
    return found


def problems_of_form(name: str, data: bytes) -> list[str]:
    """Say what is wrong with a file by what its name ends in."""
    read = READERS.get(name.rpartition(".")[2])
    return [] if read is None else [f"{name}: {one}" for one in read(data.decode())]


def in_csv(text: str) -> Iterator[str]:
    """Yield the cells that a spreadsheet would calculate."""
    for row in csv.reader(io.StringIO(text, newline="")):
        for cell in row:
            if cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")):
                yield f"the cell {cell!r}"


def in_sarif(text: str) -> Iterator[str]:
    """Return the addresses that lead elsewhere, and the links in messages."""

    def walk(value: Any, key: str = "") -> Iterator[str]:
        if isinstance(value, dict):
            for name, part in value.items():
                yield from walk(part, name)
        elif isinstance(value, list):
            for part in value:
                yield from walk(part, key)
        elif key.lower().endswith("uri"):
            parts = urlsplit(value)
            if parts.scheme not in ("", "https") or (not parts.scheme and value.startswith("/")):
                yield f"the address {value!r}"
        elif key == "text" and "](" in value:
            yield f"the link {value!r}"

    yield from walk(json.loads(text))


def in_markdown(text: str) -> Iterator[str]:
    """Yield markup that is no report's: elements, images, links to somewhere."""
    for token in MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(text):
        for inner in token.children or [token]:
            content = inner.content
            if inner.type in ("html_inline", "html_block"):
                for own in OWN_MARKUP:
                    content = content.replace(own, "")
                if "<" in content:
                    yield f"the element {inner.content!r}"
            if inner.type == "image":
                yield f"the image {inner.attrs!r}"
            if inner.type == "link_open" and EVIL in str(inner.attrs.get("href")):
                yield f"the link {inner.attrs!r}"


class _Page(HTMLParser):
    """Notes what no page of tfgate has."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.policy = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            self.policy |= name == "http-equiv" and value == "Content-Security-Policy"
            told = f"<{tag} {name}={value!r}>"
            acts = name.startswith("on") or name in ("src", "srcset", "action", "formaction")
            leads = name == "href" and not str(value).startswith(("https://", "#"))
            if acts or leads:
                self.found.append(told)
        if tag in ("img", "iframe", "object", "embed", "base", "link"):
            self.found.append(f"<{tag}>")


def in_html(text: str) -> Iterator[str]:
    """Yield elements and attributes that run or load something."""
    page = _Page()
    page.feed(text)
    page.close()
    yield from page.found
    if not page.policy:
        yield "no Content-Security-Policy"


def _in_json(text: str) -> Iterator[str]:
    json.loads(text)
    yield from ()


def _in_xml(text: str) -> Iterator[str]:
    ElementTree.fromstring(text)
    yield from ()


READERS: dict[str, Callable[[str], Iterator[str]]] = {
    "csv": in_csv,
    "sarif": in_sarif,
    "md": in_markdown,
    "html": in_html,
    "json": _in_json,
    "xml": _in_xml,
}
"""By suffix; each fails on what its form's readers refuse."""
