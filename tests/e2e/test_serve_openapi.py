"""The server keeps to the interface that it publishes, whatever is asked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("dbos", reason="This test needs tfgate[server].")
pytest.importorskip("trustme", reason="This test needs trustme.")
pytest.importorskip("schemathesis", reason="This test needs schemathesis.")

import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.hcp import FakeHcp, get, post, sign
from tests.support.task_server import TaskServer

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.filterwarnings("ignore")  # of schemathesis and what it brings along
PATHS = (
    ("/run-task", "POST"),
    ("/healthz", "GET"),
    ("/readyz", "GET"),
    ("/metrics", "GET"),
    ("/decisions", "GET"),
    ("/decisions/{key}", "GET"),
    ("/openapi.json", "GET"),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TaskServer]:
    """Yield a running server."""
    folder = tmp_path_factory.mktemp("gate")
    hcp = FakeHcp(folder)
    server = TaskServer(folder / "server", hcp)
    server.start()
    yield server
    server.close()
    hcp.close()


@pytest.mark.parametrize(("path", "method"), PATHS)
def test_it_keeps_to_its_description(server: TaskServer, path: str, method: str) -> None:
    """Schemathesis' requests, valid and not, get answers that the description has."""
    status, text = get(f"{server.url}/openapi.json")
    assert status == 200
    schema = schemathesis.openapi.from_dict(json.loads(text))
    schema.config.update(base_url=server.url)

    @given(case=schema[path][method].as_strategy())
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    def ask(case: schemathesis.Case) -> None:
        case.call_and_validate(
            excluded_checks=[
                # An unsigned request is refused before its body is looked at.
                schemathesis.checks.positive_data_acceptance
            ]
            if hasattr(schemathesis.checks, "positive_data_acceptance")
            else []
        )

    ask()
    assert get(f"{server.url}/readyz")[0] == 200


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
        max_leaves=8,
    ),
    name=st.sampled_from(
        [
            "stage",
            "access_token",
            "run_id",
            "capabilities",
            "plan_json_api_url",
            "organization_name",
        ]
    ),
)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_signed_nonsense_is_never_an_error_of_ours(
    server: TaskServer, name: str, value: object
) -> None:
    """A signed request with anything in any field is taken, or refused with a reason."""
    payload = server.hcp.payload("taskrs-any", "none", **{name: value})
    body = json.dumps(payload).encode()
    status, _ = post(f"{server.url}/run-task", body, sign(body))
    assert status in (200, 400, 422)
