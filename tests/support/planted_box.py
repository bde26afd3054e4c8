"""A gate whose rules look at every secret of the plans that it judges."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.faults import box as boxes
from tests.support.plans import HEADER
from tests.support.planted import looking, planted, raising, secret, values

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.faults.box import Box

GIVEN = frozenset(
    {"good.json", "bad.json", "state.json", "a.json", "b.json", "good.tfplan", "bad.tfplan"}
    | {"secret.toml", "raising.toml"}
)
"""Files that hold secrets by right, or rules that name the canary."""
ENVIRONMENT = {
    name: secret(f"env-{name}")
    for name in ("TF_VAR_db", "AWS_SECRET_ACCESS_KEY", "TF_TOKEN_app_terraform_io", "GITHUB_TOKEN",
                 "ATLANTIS_GH_TOKEN", "TF_HTTP_PASSWORD", "CI_JOB_TOKEN")
}  # fmt: skip
"""What lies about in the environment of a gate."""
RULES = {"secret": looking, "raising": raising}
"""Rulesets that take the secrets apart, and that fail on them."""


def write_rules(folder: Path) -> None:
    """Write the rulesets, each to its file."""
    for name, rules in RULES.items():
        text = HEADER.replace('"test"', f'"{name}"') + rules()
        (folder / f"{name}.toml").write_text(text)


def build(root: Path) -> Box:
    """Make a box with such plans and rules; `raising.toml` is not in force."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boxes, "_plan", lambda owner: json.dumps(planted(owner)).encode())
        patch.setattr(boxes, "_state", _state)
        rulesets = boxes.CONFIG.replace('["./policy"]', '["./policy", "./secret.toml"]')
        patch.setattr(boxes, "CONFIG", rulesets)
        write = boxes._write_gate

        def with_rules(made: Box) -> None:
            write_rules(made.gate)
            write(made)

        patch.setattr(boxes, "_write_gate", with_rules)
        return boxes.build(root)


def _state() -> bytes:
    state = json.loads(_STATE())
    (resource,) = state["values"]["root_module"]["resources"]
    resource["values"] = {**values("me"), "arn": "arn:aws:s3:::logs"}
    resource["sensitive_values"] = planted()["resource_changes"][0]["change"]["after_sensitive"]
    state["values"]["outputs"] = {"token": {"sensitive": True, "value": secret("out")}}
    return json.dumps(state).encode()


_STATE = boxes._state
