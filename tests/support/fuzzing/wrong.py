"""Plans that break the oracle's rules, and one that breaks none."""

from __future__ import annotations

from tests.support.plans import change, plan_bytes

RULES = ("F-OPEN", "F-PLAIN", "F-GONE", "F-WEAK")

_OPEN = {"name": "x", "ingress": [{"from_port": 22, "cidr_blocks": ["10.0.0.0/8", "0.0.0.0/0"]}]}
_WRONG = {
    "F-OPEN": change("aws_security_group.open", after=_OPEN, after_sensitive={"name": True}),
    "F-PLAIN": change("aws_ebs_volume.plain[0]", ["update"], {"encrypted": False, "size": 1},
                      before={"encrypted": True}),
    "F-GONE": change("module.m.aws_db_instance.gone", ["delete"], before={"name": "d"}),
    "F-WEAK": change("acme_login.weak", ["delete", "create"], {"password": "hunter2"},
                     after_sensitive={"password": True}, before={"password": "x"},
                     replace_paths=[["password"]]),
}  # fmt: skip
_RIGHT = (
    change("aws_security_group.closed", after={"ingress": [{"cidr_blocks": ["10.0.0.0/8"]}]}),
    change("aws_ebs_volume.cipher", after={"encrypted": True}, after_unknown={"id": True}),
    change("aws_db_instance.new", after={"name": "d"}),
    change("acme_login.strong", after={"password": "a-b-c"}),
)


def wrong_plan(*rules: str) -> bytes:
    """Return a plan that breaks these rules (all, if none is named) among much that is right."""
    return plan_bytes(*(_WRONG[name] for name in rules or RULES), *_RIGHT)


def open_plan() -> bytes:
    """Return a plan that opens a port, and does nothing else."""
    return plan_bytes(_WRONG["F-OPEN"])


def right_plan() -> bytes:
    """Return a plan that breaks no rule."""
    return plan_bytes(*_RIGHT)


def unknown_plan() -> bytes:
    """Return a plan whose values are not known: nobody can say that they are right."""
    volume = change("aws_ebs_volume.later", after={"size": 1}, after_unknown={"encrypted": True})
    group = change("aws_security_group.later", after={}, after_unknown={"ingress": True})
    return plan_bytes(volume, group)
