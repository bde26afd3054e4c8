"""What is done with a request before it is answered: checked, and kept."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from tfgate.web.errors import PeerError
from tfgate.web.logs import about
from tfgate.web.payload import PayloadError, RunTask, is_verification, read_task
from tfgate.web.secrets import is_signed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tfgate.web.hosts import Allowed
    from tfgate.web.logs import Log
    from tfgate.web.store import Store


class Said(NamedTuple):
    """The HTTP answer to a request."""

    status: int
    result: str
    """One word, for metrics and logs."""
    detail: str = ""


class Rate:
    """So many requests a minute for each organisation, with as many at once (token bucket)."""

    def __init__(self, a_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = float(a_minute)
        self._clock = clock
        self._lock = threading.Lock()
        self._left: dict[str, tuple[float, float]] = {}

    def takes(self, organization: str) -> bool:
        """Whether one more request is within the limit; it is counted then."""
        now = self._clock()
        with self._lock:
            if len(self._left) > 10_000:
                self._left.clear()
            left, at = self._left.get(organization, (self._most, now))
            left = min(self._most, left + (now - at) * self._most / 60)
            self._left[organization] = (left - 1 if left >= 1 else left, now)
            return left >= 1


@dataclass
class Intake:
    """Takes requests in. ``submit`` puts a kept task into the queue."""

    keys: Sequence[str]
    """Keys of signatures; empty where requests are not signed."""
    allowed: Allowed
    store: Store
    submit: Callable[[str], None]
    log: Log
    rate: Rate

    def take(self, body: bytes, signature: str) -> Said:
        """Check a request and keep it. When this says 200, the task will be answered."""
        refused = self._check_signature(body, signature)
        if refused is not None:
            return refused
        if is_verification(body):
            return Said(200, "verification")
        try:
            task = read_task(body)
            self._check_hosts(task)
        except PayloadError as error:
            return Said(400, "malformed", str(error))
        except PeerError as error:
            self.log.warning("refused", reason=str(error))
            return Said(422, "forbidden", str(error))
        if not self.rate.takes(task.organization_name):
            return Said(429, "limited", "Too many requests of this organization; try again.")
        return self._keep(task)

    def _keep(self, task: RunTask) -> Said:
        key = task.task_result_id
        fresh = self.store.accept(key, task)
        # A second delivery finds the task; the queue is asked again in case the server was killed
        # between the two. Neither happens twice.
        self.submit(key)
        about(self.log, key, task).info("accepted" if fresh else "repeated")
        return Said(200, "accepted" if fresh else "repeated")

    def _check_signature(self, body: bytes, signature: str) -> Said | None:
        if not self.keys:
            if signature:
                return Said(400, "unsigned", "The request is signed, and no key is configured.")
            return None
        if not signature or not is_signed(body, signature, self.keys):
            return Said(401, "signature", "The signature is missing or wrong.")
        return None

    def _check_hosts(self, task: RunTask) -> None:
        """Refuse at once what could never be answered: nobody would hear of it later."""
        self.allowed.check_api(task.task_result_callback_url)
        for url in (task.plan_json_api_url, task.configuration_version_download_url):
            if url is not None:
                self.allowed.check_api(url)
