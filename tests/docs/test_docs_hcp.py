"""What the page on HCP Terraform says of the configuration is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("dbos", reason="This test needs tfgate[server].")

import msgspec

from tfgate.server.settings import PolicyTable, Settings, load_settings

PAGE = Path(__file__).parents[2] / "docs" / "integrations" / "hcp-terraform.md"


def shown() -> str:
    """Return the configuration of the page, with what is commented out."""
    (block,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return re.sub(r"^# (\w+ = )", r"\1", block, flags=re.MULTILINE)


def test_the_page_shows_every_key_with_its_default(tmp_path: Path) -> None:
    """The configuration loads, no key is missing, and limits are shown as they are."""
    file = tmp_path / "server.toml"
    file.write_text(shown())
    settings = load_settings(file, {})
    kinds = {"server", "hcp", "limits", "pages"}
    for kind in kinds:
        for field in msgspec.structs.fields(getattr(settings, kind)):
            assert re.search(rf"^{field.name} = ", shown(), re.MULTILINE), field.name
    for field in msgspec.structs.fields(PolicyTable):
        assert re.search(rf"^{field.name} = ", shown(), re.MULTILINE), field.name
    assert settings.limits == Settings().limits
    assert settings.pages == Settings().pages
