"""The state after an apply, where the run's token may read it ("State Versions API")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from tfgate.web.errors import PeerError

if TYPE_CHECKING:
    from tfgate.web.client import Client, Fetched
    from tfgate.web.payload import RunTask

_SMALL = 1 << 20


class _Attributes(msgspec.Struct, rename="kebab"):
    hosted_json_state_download_url: str | None = None


class _Data(msgspec.Struct):
    attributes: _Attributes


class _Version(msgspec.Struct):
    data: _Data


def fetch_state(client: Client, task: RunTask, token: str, limit: int) -> Fetched | None:
    """Get the workspace's state as ``terraform show -json`` prints it.

    ``None`` where it cannot be had: a run task's token may not be let near it, and older Terraform
    leaves no JSON state. Raises ``PeerError`` where asking again may help.
    """
    parts = urlsplit(task.task_result_callback_url)
    url = (
        f"{parts.scheme}://{parts.netloc}/api/v2/workspaces/{task.workspace_id}"
        "/current-state-version"
    )
    try:
        version = client.fetch(url, token, _SMALL, "the state's description")
        with version.file:
            found: Any = msgspec.json.decode(version.file.read(), type=_Version)
        link = found.data.attributes.hosted_json_state_download_url
        return None if not link else client.fetch(link, token, limit, "the state")
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    except PeerError as error:
        if error.again and error.status not in (401, 403, 404):
            raise
        return None
