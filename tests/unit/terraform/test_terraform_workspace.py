"""Which workspace an apply changes, and where its state is kept."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfgate.model.decision import Workspace
from tfgate.terraform import detect_workspace
from tfgate.terraform.backend import PUBLIC_SETTINGS, read_backend

CANARY = "hunter2-canary"


def initialised(cwd: Path, document: Any) -> Path:
    """Write what ``terraform init`` would have left in ``cwd``."""
    (cwd / ".terraform").mkdir(exist_ok=True)
    text = document if isinstance(document, str) else json.dumps(document)
    (cwd / ".terraform" / "terraform.tfstate").write_text(text)
    return cwd


def backend(kind: str, config: Any) -> dict[str, Any]:
    return {"version": 3, "backend": {"type": kind, "config": config, "hash": 1}}


CASES: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    (
        "s3",
        {"bucket": "b", "key": "k.tfstate", "region": "eu-west-1", "secret_key": CANARY},
        {"bucket": "b", "key": "k.tfstate", "region": "eu-west-1"},
    ),
    ("gcs", {"bucket": "b", "prefix": "p", "credentials": CANARY}, {"bucket": "b", "prefix": "p"}),
    (
        "azurerm",
        {
            "storage_account_name": "sa",
            "container_name": "c",
            "key": "k",
            "resource_group_name": "rg",
            "access_key": CANARY,
            "sas_token": CANARY,
        },
        {
            "storage_account_name": "sa",
            "container_name": "c",
            "key": "k",
            "resource_group_name": "rg",
        },
    ),
    (
        "remote",
        {
            "hostname": "tfe.x",
            "organization": "acme",
            "token": CANARY,
            "workspaces": [{"name": None, "prefix": "app-"}],
        },
        {"hostname": "tfe.x", "organization": "acme", "workspaces.prefix": "app-"},
    ),
    (
        "cloud",
        {
            "organization": "acme",
            "token": CANARY,
            "workspaces": {"name": None, "project": "web", "tags": ["b", "a"]},
        },
        {"organization": "acme", "workspaces.project": "web", "workspaces.tags": "a,b"},
    ),
    (
        "http",
        {"address": f"https://u:{CANARY}@x.example/s?token={CANARY}#{CANARY}", "password": CANARY},
        {"address": "https://x.example/s"},
    ),
    (
        "consul",
        {"address": f"u:{CANARY}@c.example:8500", "path": "p", "access_token": CANARY},
        {"address": "c.example:8500", "path": "p"},
    ),
    (
        "kubernetes",
        {"secret_suffix": "s", "namespace": "n", "token": CANARY, "exec": [{"env": CANARY}]},
        {"secret_suffix": "s", "namespace": "n"},
    ),
    ("pg", {"conn_str": f"postgres://u:{CANARY}@h/d", "schema_name": "s"}, {"schema_name": "s"}),
    ("oss", {"bucket": "b", "prefix": "p", "secret_key": CANARY}, {"bucket": "b", "prefix": "p"}),
    ("cos", {"bucket": "b", "region": "r", "secret_id": CANARY}, {"bucket": "b", "region": "r"}),
    ("oci", {"bucket": "b", "private_key": CANARY}, {"bucket": "b"}),
    ("local", {"path": "s.tfstate", "workspace_dir": None}, {"path": "s.tfstate"}),
    ("etcdv3", {"password": CANARY, "key": CANARY}, {}),
]


@pytest.mark.parametrize(("kind", "config", "identity"), CASES)
def test_each_backend_is_told_apart_without_its_secrets(
    kind: str, config: dict[str, Any], identity: dict[str, str], tmp_path: Path
) -> None:
    """What names the state is kept, and nothing else is."""
    found = detect_workspace({}, None, initialised(tmp_path, backend(kind, config)))
    assert (found.backend, found.identity) == (kind, identity)
    assert CANARY not in repr(found)


def test_every_known_backend_has_a_case() -> None:
    """A new backend in the allow-list needs a case above."""
    assert set(PUBLIC_SETTINGS) <= {kind for kind, _, _ in CASES}


@pytest.mark.parametrize("kind", sorted(PUBLIC_SETTINGS))
def test_no_setting_outside_the_list_leaks(kind: str) -> None:
    """Any other setting, nested ones included, stays unread."""
    config = {f"other_{n}": CANARY for n in range(5)} | {"workspaces": {"secret": CANARY}}
    assert CANARY not in repr(read_backend(backend(kind, config)))


def test_name_comes_from_the_first_that_says(tmp_path: Path) -> None:
    """Flag, TF_WORKSPACE, the selected one, the backend's only one, default: in this order."""
    assert detect_workspace({}, None, tmp_path) == Workspace(name="default", source="default")
    config = {"organization": "acme", "workspaces": {"name": "only"}}
    initialised(tmp_path, backend("cloud", config))
    found = detect_workspace({}, None, tmp_path)
    assert (found.name, found.source) == ("only", "backend")
    (tmp_path / ".terraform" / "environment").write_text("chosen\n")
    found = detect_workspace({}, None, tmp_path)
    assert (found.name, found.source) == ("chosen", ".terraform/environment")
    env = {"TF_WORKSPACE": "prod"}
    found = detect_workspace(env, None, tmp_path)
    assert (found.name, found.source, found.backend) == ("prod", "environment", "cloud")
    found = detect_workspace(env, "blue", tmp_path)
    assert (found.name, found.source, found.backend) == ("blue", "flag", "cloud")


def test_data_directory_is_where_terraform_looks(tmp_path: Path) -> None:
    """TF_DATA_DIR moves both files, and is relative to the configuration."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "environment").write_text("moved")
    assert detect_workspace({"TF_DATA_DIR": "data"}, None, tmp_path).name == "moved"


def test_a_cloud_block_may_leave_its_settings_to_the_environment(tmp_path: Path) -> None:
    """What the block says itself comes first."""
    initialised(tmp_path, backend("cloud", {"hostname": "tfe.x", "workspaces": {"name": "w"}}))
    env = {"TF_CLOUD_ORGANIZATION": "acme", "TF_CLOUD_HOSTNAME": "other.x"}
    identity = {"hostname": "tfe.x", "organization": "acme", "workspaces.name": "w"}
    assert detect_workspace(env, None, tmp_path).identity == identity


def state_link(path: Path) -> None:
    (path.parent / "real").write_text(json.dumps(backend("s3", {"bucket": "b"})))
    path.symlink_to(path.parent / "real")


HOSTILE: list[tuple[str, Any]] = [
    ("not JSON", "bucket = 1"),
    ("empty", ""),
    ("half", '{"backend": {"type": "s3"'),
    ("a list", "[]"),
    ("backend a string", '{"backend": "s3"}'),
    ("type a number list", '{"backend": {"type": [1]}}'),
    ("config a list", '{"backend": {"type": "s3", "config": [1]}}'),
    ("deep", "[" * 100_000),
    ("deep backend", '{"backend":' * 50_000),
    ("huge", " " * (1 << 21)),
    ("binary", "\x00\x01\ufffd"),
    ("symbolic link", state_link),
    ("directory", Path.mkdir),
    ("pipe", os.mkfifo),
]


@pytest.mark.parametrize(("name", "content"), HOSTILE, ids=[name for name, _ in HOSTILE])
def test_an_odd_state_file_gives_a_warning_and_no_backend(
    name: str, content: Any, tmp_path: Path
) -> None:
    """The gate goes on without the backend, and says so in one sentence."""
    path = tmp_path / ".terraform" / "terraform.tfstate"
    path.parent.mkdir()
    if callable(content):
        content(path)
    else:
        path.write_text(content)
    warnings: list[str] = []
    found = detect_workspace({}, None, tmp_path, warn=warnings.append)
    assert found == Workspace(name="default", source="default"), name
    assert len(warnings) == 1
    assert warnings[0].startswith(f"{path} was left out: it")
    assert "\n" not in warnings[0]


@pytest.mark.parametrize("section", [{}, {"backend": None}, {"backend": {"type": "s3"}}])
def test_a_state_file_may_lack_a_backend_or_its_settings(
    section: dict[str, Any], tmp_path: Path
) -> None:
    """What Terraform itself leaves out is no mistake."""
    warnings: list[str] = []
    detect_workspace({}, None, initialised(tmp_path, section), warn=warnings.append)
    assert warnings == []


def test_an_odd_environment_file_is_left_out(tmp_path: Path) -> None:
    """A link there does not make the gate read another file into its record."""
    (tmp_path / ".terraform").mkdir()
    (tmp_path / "secret").write_text(CANARY)
    (tmp_path / ".terraform" / "environment").symlink_to(tmp_path / "secret")
    warnings: list[str] = []
    assert detect_workspace({}, None, tmp_path, warn=warnings.append).name == "default"
    assert len(warnings) == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(kind=st.sampled_from(sorted(PUBLIC_SETTINGS)), value=JSON)
def test_any_json_in_any_setting_gives_clean_strings(kind: str, value: Any) -> None:
    """Every identity is a flat mapping of short printable lines, whatever the file holds."""
    keys = (*PUBLIC_SETTINGS[kind], "workspaces")
    for config in (dict.fromkeys(keys, value), value):
        try:
            found = read_backend(backend(kind, config))
        except ValueError:
            continue
        assert found is not None
        for text in found.identity.values():
            assert 0 < len(text) <= 1024
            assert "\n" not in text
            assert "\x1b" not in text
