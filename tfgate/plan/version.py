"""Which versions of the plan format are read."""

from __future__ import annotations

import re
from typing import Any, Final

from tfgate.errors import PlanError

NEWEST_MINOR: Final = {0: 2, 1: 2}
"""Major version → the newest minor version known: 0.1 is Terraform 0.12, 1.2 is Terraform 1.5."""

_VERSION: Final = re.compile(r"(\d{1,4})\.(\d{1,4})")


def check_version(value: Any) -> tuple[str, int, str | None]:
    """Give the format version, its major number, and a warning where its minor one is new.

    "Reject any input which reports an unsupported major version", and ignore what is not known of
    a newer minor one (JSON Output Format, introduction). Raises PlanError.
    """
    found = _VERSION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise PlanError('expected a string such as "1.2".', where="format_version", hint=_HINT)
    version, major, minor = found[0], int(found[1]), int(found[2])
    if major not in NEWEST_MINOR:
        raise PlanError(
            f"version {version} of the plan format is not known to this tfgate.",
            where="format_version",
            hint="Use a newer tfgate.",
        )
    if minor <= NEWEST_MINOR[major]:
        return version, major, None
    newest = f"{major}.{NEWEST_MINOR[major]}"
    return version, major, f"The plan's format version is {version}; {newest} is the newest known."


_HINT: Final = "Make the plan JSON again with `terraform show -json PLANFILE`."
