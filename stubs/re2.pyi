"""The part of google-re2 that tfgate uses; the package has no types of its own."""

from collections.abc import Iterator

class error(Exception): ...  # noqa: N801, N818 - the package's name

class Options:
    log_errors: bool
    max_mem: int

class Match:
    def group(self) -> str: ...

class Pattern:
    programsize: int
    def search(self, text: str | bytes) -> Match | None: ...
    def finditer(self, text: str) -> Iterator[Match]: ...

def compile(pattern: str, options: Options | None = None) -> Pattern: ...  # noqa: A001 - its name
def escape(pattern: str) -> str: ...
