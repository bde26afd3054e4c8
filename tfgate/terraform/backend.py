"""What may be told of a backend: the settings that name a state, and none that open it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tfgate.terraform.text import clean, public_url

# An allow-list: a setting that is not here is never read, so that a new one cannot leak. Settings
# as in developer.hashicorp.com/terraform/language/backend and opentofu.org/docs/language/settings.
PUBLIC_SETTINGS: Mapping[str, tuple[str, ...]] = {
    "azurerm": ("resource_group_name", "storage_account_name", "container_name", "key"),
    "cloud": ("hostname", "organization"),
    "consul": ("address", "datacenter", "path"),
    "cos": ("region", "bucket", "prefix", "key"),
    "gcs": ("bucket", "prefix"),
    "http": ("address",),
    "kubernetes": ("namespace", "secret_suffix"),
    "local": ("path", "workspace_dir"),
    "oci": ("region", "namespace", "bucket", "key", "workspace_key_prefix"),
    "oss": ("region", "bucket", "prefix", "key"),
    "pg": ("schema_name",),
    "remote": ("hostname", "organization"),
    "s3": ("region", "bucket", "key", "workspace_key_prefix"),
}
_CLOUD_ENVIRONMENT = {
    "hostname": "TF_CLOUD_HOSTNAME",
    "organization": "TF_CLOUD_ORGANIZATION",
    "workspaces.project": "TF_CLOUD_PROJECT",
}
_WORKSPACES = ("name", "prefix", "project", "tags")


class Backend(msgspec.Struct, frozen=True):
    """Type and identity of the place a state is kept in."""

    type: str
    identity: dict[str, str]
    workspace: str | None
    """The one workspace that a ``cloud`` or ``remote`` block names, where it names one."""


def read_backend(document: object) -> Backend | None:
    """Take the backend out of a decoded ``.terraform/terraform.tfstate``.

    ``None`` where the document has none. A backend of an unknown type has its type alone. Raises
    ``ValueError``, naming no value, where the document has another shape than Terraform writes.
    """
    if not isinstance(document, Mapping):
        raise ValueError("it is not a JSON object")
    section = document.get("backend")
    if section is None:
        return _state_store(document.get("state_store"))
    if not isinstance(section, Mapping):
        raise ValueError("its backend is not a JSON object")
    kind = clean(section.get("type"))
    if not kind:
        raise ValueError("its backend has no type")
    settings = section.get("config")
    if settings is not None and not isinstance(settings, Mapping):
        raise ValueError("its backend's config is not a JSON object")
    return _describe(kind, settings or {})


def with_cloud_environment(backend: Backend, env: Mapping[str, str]) -> Backend:
    """Fill in what a ``cloud`` block leaves to the environment.

    developer.hashicorp.com/terraform/cli/cloud/settings: the block comes first.
    """
    found = {key: clean(env.get(name, "")) for key, name in _CLOUD_ENVIRONMENT.items()}
    identity = {key: value for key, value in found.items() if value} | backend.identity
    return msgspec.structs.replace(backend, identity=identity)


def _describe(kind: str, settings: Mapping[Any, Any]) -> Backend:
    identity = _public(settings, PUBLIC_SETTINGS.get(kind, ()))
    workspace = None
    if kind in ("cloud", "remote"):
        named = _public(_block(settings.get("workspaces")), _WORKSPACES)
        workspace = named.get("name")
        identity |= {f"workspaces.{key}": value for key, value in named.items()}
    return Backend(kind, identity, workspace)


def _state_store(section: object) -> Backend | None:
    """Terraform 1.15's pluggable state storage: a provider keeps the state; its type is known."""
    if not isinstance(section, Mapping):
        return None
    kind = clean(section.get("type"))
    return Backend(kind, {}, None) if kind else None


def _block(value: object) -> Mapping[Any, Any]:
    """A nested block: an object, or (as the ``remote`` backend has it) a list of one."""
    if isinstance(value, Sequence) and not isinstance(value, str) and value:
        value = value[0]
    return value if isinstance(value, Mapping) else {}


def _public(settings: Mapping[Any, Any], keys: tuple[str, ...]) -> dict[str, str]:
    found = {key: _value(settings.get(key)) for key in keys}
    return {key: value for key, value in found.items() if value}


def _value(value: object) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return clean(",".join(sorted(clean(item) for item in value[:32])))
    if isinstance(value, Mapping):
        pairs = sorted(f"{clean(key)}={clean(item)}" for key, item in [*value.items()][:32])
        return clean(",".join(pairs))
    text = clean(value, 1024)
    return public_url(text) if "://" in text or "@" in text else clean(text)
