"""What may be shown of a backend: the settings that name a state, and none that open it.

The same is said by ``.terraform/terraform.tfstate`` (JSON) and by a plan file (MessagePack): both
hold all settings of the backend, those that are not given as null.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

from tfgate.model.text import clean, late
from tfgate.plan.values import names_secret
from tfgate.terraform.text import public_url

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
_OPENS = late(r"_(?:key|pem|certificate)$")
"""Names of settings that open a state, beside those that any list of secrets has."""
_IN_DSN = late(r"""(?i)\b\w*(?:pass|key)\w*\s*=\s*(?:'(?:[^'\\]|\\.)*'|\S*)""")
_DEEPEST = 32


class Backend(msgspec.Struct, frozen=True):
    """Type and identity of the place a state is kept in."""

    type: str
    identity: dict[str, str]
    workspace: str | None
    """The one workspace that a ``cloud`` or ``remote`` block names, where it names one."""
    config_sha256: str | None = None
    """SHA-256 (hex) of all settings but secrets; ``None`` where none is given."""


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


def planned_backend(kind: str, settings: object, provider: tuple[str, object] | None) -> Backend:
    """Return the backend that a plan file names, ``kind`` with its settings.

    ``provider`` is the address and the settings of the provider of a ``state_store``. Raises
    ``ValueError`` for settings that are none.
    """
    if not isinstance(settings, Mapping):
        raise ValueError("the settings of its backend are no object")
    return _describe(kind, settings) if provider is None else _stored(kind, settings, *provider)


def with_cloud_environment(backend: Backend, env: Mapping[str, str]) -> Backend:
    """Fill in what a ``cloud`` block leaves to the environment.

    developer.hashicorp.com/terraform/cli/cloud/settings: the block comes first.
    """
    found = {key: clean(env.get(name, "")) for key, name in _CLOUD_ENVIRONMENT.items()}
    identity = {key: value for key, value in found.items() if value} | backend.identity
    return msgspec.structs.replace(backend, identity=identity)


def _describe(kind: str, written: Mapping[Any, Any]) -> Backend:
    settings = _plain(written, _DEEPEST)
    assert isinstance(settings, Mapping), "an object stays one"
    identity = _public(settings, PUBLIC_SETTINGS.get(kind, ()))
    workspace = None
    if kind in ("cloud", "remote"):
        named = _public(_block(settings.get("workspaces")), _WORKSPACES)
        workspace = named.get("name")
        identity |= {f"workspaces.{key}": value for key, value in named.items()}
    return Backend(kind, identity, workspace, _digest(kind, settings))


def _state_store(section: object) -> Backend | None:
    """Terraform 1.15's pluggable state storage: a provider keeps the state; its type is known."""
    if not isinstance(section, Mapping):
        return None
    kind = clean(section.get("type"))
    if not kind:
        return None
    provider = section.get("provider")
    own = provider if isinstance(provider, Mapping) else {}
    settings = section.get("config")
    return _stored(
        kind,
        settings if isinstance(settings, Mapping) else {},
        clean(own.get("source")),
        own.get("config"),
    )


def _stored(kind: str, settings: Mapping[Any, Any], source: str, own: object) -> Backend:
    """Describe a ``state_store``: what names the state is the provider's to know."""
    written = {"config": settings, "provider": {"source": source, "config": own}}
    all_of_it = _plain(written, _DEEPEST)
    assert isinstance(all_of_it, Mapping), "an object stays one"
    return Backend(kind, {"provider": source} if source else {}, None, _digest(kind, all_of_it))


def _digest(kind: str, settings: Mapping[Any, Any]) -> str | None:
    """Hash all settings but secrets, with the type."""
    given = _given(settings)
    if not given:
        return None
    canonical = msgspec.json.encode([kind, given], order="deterministic")
    return hashlib.sha256(canonical).hexdigest()


def _plain(value: object, depth: int) -> object:
    """Read a setting's value, however it was written. Raises ``ValueError`` for what is none.

    A setting of no fixed type (``tags`` of a ``cloud`` block) brings its type: JSON has an object
    of ``type`` and ``value``, MessagePack a list of the two.
    """
    if depth == 0:
        raise ValueError("the settings of its backend are nested too deeply")
    if isinstance(value, Mapping):
        if value.keys() == {"type", "value"}:
            return _plain(value["value"], depth - 1)
        return {str(key): _plain(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        if len(value) == 2 and isinstance(value[0], bytes):
            return _plain(value[1], depth - 1)
        return [_plain(item, depth - 1) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise ValueError("the settings of its backend hold what no setting is")


def _given(value: object) -> object:
    """Leave out what is null, empty or secret."""
    if isinstance(value, Mapping):
        found = {key: _given(item) for key, item in value.items() if not _opens_state(key)}
        return {key: item for key, item in found.items() if item not in (None, {}, [], "")}
    if isinstance(value, list):
        return [_given(item) for item in value]
    return _without_secrets(value) if isinstance(value, str) else value


def _opens_state(name: str) -> bool:
    # The address of a database is all that names a state in it; what opens it is cut out.
    return name != "conn_str" and (names_secret(name) or _OPENS.search(name) is not None)


def _without_secrets(text: str) -> str:
    """Cut out of an address or a connection string what opens it."""
    if "://" not in text:
        return "" if text.lstrip().startswith("-----BEGIN") else _IN_DSN.sub("", text)
    try:
        parts = urlsplit(text)
        asked = parse_qsl(parts.query, keep_blank_values=True)
        query = urlencode([(key, value) for key, value in asked if not _opens_state(key)])
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit((parts.scheme, host, parts.path, query, ""))
    except ValueError:
        return ""


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
