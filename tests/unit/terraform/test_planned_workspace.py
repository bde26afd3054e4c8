"""What a plan file says of its state, against what its surroundings claim."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfgate.errors import PlanError
from tfgate.terraform import PlanFile, PlanFileKind, detect_workspace, planned_workspace
from tfgate.terraform.backend import Backend, planned_backend, read_backend

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tfgate.model.decision import Workspace

CANARY = "hunter2-canary"
REMOTE = {"organization": "acme", "workspaces": [{"name": "acme-prod", "prefix": None}]}
PREFIX = {"organization": "acme", "workspaces": [{"name": None, "prefix": "acme-"}]}
CLOUD = {"organization": "acme", "workspaces": {"name": "acme-prod", "tags": None}}


def plan(kind: str, settings: Mapping[str, Any], workspace: str = "default") -> PlanFile:
    """Return what a plan file says, with its settings as MessagePack has them."""
    packed = msgspec.msgpack.decode(msgspec.msgpack.encode(settings))
    return PlanFile(
        PlanFileKind.LOCAL, backend=planned_backend(kind, packed, None), workspace=workspace
    )


def claimed(folder: Path, kind: str, settings: Mapping[str, Any], **env: str) -> Workspace:
    """Return what a directory claims that ``terraform init`` has set up."""
    document = {"version": 3, "backend": {"type": kind, "config": settings, "hash": 1}}
    (folder / ".terraform").mkdir(exist_ok=True)
    (folder / ".terraform" / "terraform.tfstate").write_text(json.dumps(document))
    return detect_workspace(env, None, folder)


@pytest.mark.parametrize(
    ("kind", "settings", "planned", "env", "name"),
    [
        ("s3", {"bucket": "b", "key": "k", "region": None}, "prod", "prod", "prod"),
        ("remote", REMOTE, "default", "", "acme-prod"),
        ("remote", REMOTE, "default", "default", "acme-prod"),
        ("remote", PREFIX, "prod", "prod", "prod"),
        ("cloud", CLOUD, "acme-prod", "", "acme-prod"),
        ("cloud", CLOUD, "acme-prod", "acme-prod", "acme-prod"),
    ],
)
def test_what_fits_is_the_plans(
    tmp_path: Path, kind: str, settings: dict[str, Any], planned: str, env: str, name: str
) -> None:
    """Both say the same in their own ways; what counts is the plan's word."""
    claims = claimed(tmp_path, kind, settings, **({"TF_WORKSPACE": env} if env else {}))
    found = planned_workspace(plan(kind, settings, planned), claims, {})
    assert (found.name, found.source, found.backend) == (name, "plan file", kind)
    assert (found.identity, found.config_sha256) == (claims.identity, claims.config_sha256)


@pytest.mark.parametrize(
    ("kind", "planned", "here"),
    [
        ("remote", REMOTE, {**REMOTE, "workspaces": [{"name": "acme-dev", "prefix": None}]}),
        ("remote", REMOTE, {**REMOTE, "hostname": "tfe.acme.example"}),
        ("cloud", CLOUD, {**CLOUD, "organization": "other"}),
        ("s3", {"bucket": "b", "key": "k"}, {"bucket": "b", "key": "l"}),
        ("s3", {"bucket": "b", "endpoints": {"s3": "https://a"}}, {"bucket": "b"}),
        ("pg", {"conn_str": "postgres://u:p@a/d"}, {"conn_str": "postgres://u:p@b/d"}),
        ("pg", {"conn_str": "host=a password=p"}, {"conn_str": "host=b password=p"}),
        ("http", {"address": "https://s/x?of=dev"}, {"address": "https://s/x?of=prod"}),
        ("unheard_of", {"place": "a"}, {"place": "b"}),
    ],
)
def test_any_setting_that_may_name_a_state_counts(
    tmp_path: Path, kind: str, planned: dict[str, Any], here: dict[str, Any]
) -> None:
    """Also those that no report shows, and those of backends that nobody here knows."""
    claims = claimed(tmp_path, kind, here, TF_WORKSPACE="w")
    with pytest.raises(PlanError, match=r"^p is for the state .*, and \.terraform is set up for"):
        planned_workspace(plan(kind, planned, "w"), claims, {}, name="p")


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("s3", {"bucket": "b", "secret_key": CANARY, "token": "1"}, {"bucket": "b", "token": "2"}),
        ("pg", {"conn_str": f"postgres://u:{CANARY}@h/d"}, {"conn_str": "postgres://v:x@h/d"}),
        ("pg", {"conn_str": f"host=h password='{CANARY} x'"}, {"conn_str": "host=h "}),
        ("http", {"address": f"https://h/s?token={CANARY}"}, {"address": "https://h/s"}),
        ("gcs", {"bucket": "b", "credentials": CANARY}, {"bucket": "b"}),
        ("azurerm", {"key": "k", "sas_token": CANARY, "access_key": "1"}, {"key": "k"}),
        ("oci", {"bucket": "b", "private_key": CANARY}, {"bucket": "b"}),
        ("cloud", {**CLOUD, "token": CANARY}, CLOUD),
        ("x", {"a": {"b": [{"password": CANARY}]}, "c": 1}, {"a": {"b": [{}]}, "c": 1}),
    ],
)
def test_secrets_are_not_in_the_digest(
    kind: str, one: dict[str, Any], other: dict[str, Any]
) -> None:
    """New credentials open the same state; and nobody can try passwords against a record."""
    first, second = plan(kind, one).backend, plan(kind, other).backend
    assert first is not None
    assert second is not None
    assert first.config_sha256 == second.config_sha256 is not None


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=6),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=6), below),
    max_leaves=6,
)


@given(st.dictionaries(st.text(max_size=8), VALUES, max_size=5))
def test_json_and_message_pack_are_one_backend(settings: dict[str, Any]) -> None:
    """Whatever a backend's settings are, directory and plan file give the same digest."""
    there = plan("s3", settings).backend
    document = json.loads(json.dumps({"backend": {"type": "s3", "config": settings}}))
    assert there == read_backend(document)


def test_a_setting_of_no_fixed_type() -> None:
    """JSON and MessagePack write its type in their own ways."""
    tags = {"type": ["set", "string"], "value": ["a", "b"]}
    here = read_backend({"backend": {"type": "cloud", "config": {"workspaces": {"tags": tags}}}})
    packed = {"workspaces": {"tags": [b'["set","string"]', ["a", "b"]]}}
    assert planned_backend("cloud", packed, None) == here
    assert here is not None
    assert here.identity == {"workspaces.tags": "a,b"}


def test_a_plan_that_names_no_state_is_refused(tmp_path: Path) -> None:
    """Nobody could say what it would write."""
    claims = detect_workspace({}, None, tmp_path)
    for backend in (None, Backend("local", {}, None)):
        with pytest.raises(PlanError, match="does not say which state and workspace"):
            planned_workspace(PlanFile(PlanFileKind.LOCAL, backend=backend), claims, {})


def test_an_encrypted_plan_is_refused(tmp_path: Path) -> None:
    """OpenTofu alone can read for which state it is."""
    claims = claimed(tmp_path, "s3", {"bucket": "b"})
    with pytest.raises(PlanError, match="p is encrypted by OpenTofu: which state"):
        planned_workspace(PlanFile(PlanFileKind.ENCRYPTED), claims, {}, name="p")


@pytest.mark.parametrize(
    ("host", "kind", "settings", "sentence"),
    [
        ("app.terraform.io", "cloud", CLOUD, None),
        ("tfe.x", "cloud", {**CLOUD, "hostname": "tfe.x"}, None),
        (
            "tfe.x",
            "cloud",
            CLOUD,
            "kept on tfe.x, and .terraform is set up for app.terraform.io",
        ),
        (None, "cloud", CLOUD, "is kept on no host"),
        ("app.terraform.io", "s3", {"bucket": "b"}, "keeps, and .terraform is set up for s3 b"),
        ("app.terraform.io", "remote", REMOTE, "keeps, and .terraform is set up for remote acme"),
    ],
)
def test_a_bookmark_needs_its_cloud(
    tmp_path: Path, host: str | None, kind: str, settings: dict[str, Any], sentence: str | None
) -> None:
    """A plan that is kept elsewhere is applied in the workspace of a cloud block, on its host."""
    claims = claimed(tmp_path, kind, settings)
    bookmark = PlanFile(PlanFileKind.CLOUD, hostname=host)
    if sentence is None:
        assert planned_workspace(bookmark, claims, {}) == claims
        return
    with pytest.raises(PlanError) as caught:
        planned_workspace(bookmark, claims, {}, name="p")
    assert sentence in str(caught.value)
