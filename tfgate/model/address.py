"""Addresses as a plan writes them, and as the configuration declares them.

``module.net["a"].aws_subnet.x[0]`` is one instance; ``module.net.aws_subnet.x`` is what the
configuration declares, its *config address*.
"""

from __future__ import annotations

import re

from tfgate.model.pattern import late

_INDEX = late(r'\[(?:\d+|"(?:[^"\\]|\\.)*")\]', re.DOTALL)


def config_address(address: str) -> str:
    """Give ``address`` without the index of any resource or module instance."""
    return _INDEX.sub("", address) if "[" in address else address


def block_covers(declared: str, address: str) -> bool:
    """Say whether what ``declared`` names covers ``address`` (of an instance, or not).

    ``declared`` is a config address, which covers all its instances in all instances of the
    modules around it, or ``module.a.*``, which covers that module call and everything inside it.
    Nothing is matched by accident: names hold no wild characters, and keys are left out.
    """
    plain = config_address(address)
    if declared.endswith(".*"):
        return plain == declared[:-2] or plain.startswith(declared[:-1])
    return plain == declared
