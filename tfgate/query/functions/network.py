"""Functions on IP networks: cidr_contains, cidr_overlaps, cidr_is_public.

A network is written ``10.0.0.0/8`` or ``2001:db8::/32``; an address alone is a network of one, and
bits beyond the prefix are ignored, as AWS does.
"""

from __future__ import annotations

from functools import cache
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, Final

from tfgate.query.functions.registry import function

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

    Network = IPv4Network | IPv6Network

NOT_PUBLIC: Final = (
    "0.0.0.0/8",  # this network
    "10.0.0.0/8",  # private use
    "100.64.0.0/10",  # shared between a carrier and its customers
    "127.0.0.0/8",  # loopback
    "169.254.0.0/16",  # link local
    "172.16.0.0/12",  # private use
    "192.0.0.0/24",  # protocol assignments
    "192.0.2.0/24",  # documentation
    "192.168.0.0/16",  # private use
    "198.18.0.0/15",  # benchmarks
    "198.51.100.0/24",  # documentation
    "203.0.113.0/24",  # documentation
    "224.0.0.0/3",  # multicast and reserved
    "::/127",  # unspecified and loopback
    "64:ff9b:1::/48",  # local translation between IPv4 and IPv6
    "100::/64",  # discard only
    "2001:db8::/32",  # documentation
    "3fff::/20",  # documentation
    "fc00::/6",  # unique local, link local, formerly site local, multicast
)
"""Ranges that no host on the internet answers from, after IANA's registries of special-purpose
addresses (iana-ipv4-special-registry, iana-ipv6-special-registry). Written here because what
Python's ``is_private`` says differs between its versions."""


@cache
def _not_public() -> tuple[Network, ...]:
    return tuple(map(_network, NOT_PUBLIC))


def _network(text: str) -> Network:
    return ip_network(text, strict=False)


def _within(inner: Network, outer: Network) -> bool:
    if inner.version != outer.version:
        return False
    return inner.subnet_of(outer)  # type: ignore[arg-type]  # both are of one version here


def _check(literals: tuple[Any, ...]) -> str | None:
    try:
        for text in literals:
            if type(text) is str:
                _network(text)
    except ValueError:
        return "The text is not an IP network: write it as 10.0.0.0/8 or 2001:db8::/32."
    return None


@function(
    "cidr_contains(network: string, part: string) -> boolean",
    "cidr_contains('10.0.0.0/8', '10.1.0.0/16')",
    True,
    cost=150,
    errors="A text is not an IP address or network.",
    check=_check,
)
def _contains(network: str, part: str) -> bool:
    """Whether a network holds all of an address or network of the same IP version."""
    return _within(_network(part), _network(network))


@function(
    "cidr_overlaps(network: string, other: string) -> boolean",
    "cidr_overlaps('10.0.0.0/8', '10.1.0.0/16')",
    True,
    cost=150,
    errors="A text is not an IP address or network.",
    check=_check,
)
def _overlaps(network: str, other: str) -> bool:
    """Whether two networks of the same IP version have an address in common."""
    one, two = _network(network), _network(other)
    return _within(one, two) or _within(two, one)


@function(
    "cidr_is_public(network: string) -> boolean",
    "cidr_is_public('0.0.0.0/0')",
    True,
    cost=150,
    errors="A text is not an IP address or network.",
    check=_check,
)
def _is_public(network: str) -> bool:
    """Whether a network holds an address outside of the private and reserved ranges; 0.0.0.0/0
    does, and so does every range that is not entirely inside one of them.
    """
    given = _mapped(_network(network))
    return not any(_within(given, special) for special in _not_public())


def _mapped(network: Network) -> Network:
    """Return the IPv4 network of an IPv6 one of mapped addresses (``::ffff:0:0/96``)."""
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is None or network.prefixlen < 96:
        return network
    return _network(f"{mapped}/{network.prefixlen - 96}")
