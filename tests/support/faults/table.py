"""The fail-closed table: where in each command an error is let loose, and which there are."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import TYPE_CHECKING, Any, NamedTuple

import tfgate
from tests.support.faults.scenarios import SCENARIOS, Scenario
from tfgate.errors import PlanError, Problem, TfgateError
from tfgate.exitcodes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CANARY = "CANARY-77b1"
"""In the text of errors that nobody foresaw; it might be a value."""


class Point(NamedTuple):
    """A function that raises instead of doing what it is for."""

    command: str
    arguments: str
    target: str
    """``module:name`` or ``module:class.name``."""
    due: bool = False
    """Whether a decision was due by then, so that a record must stand in the trail."""
    config: str = ""
    tolerates: tuple[type[Exception], ...] = ()
    """Errors that stop nothing here, and are told in the record."""


_APPLY = "good.tfplan -auto-approve"
_IMPORT = "-- terraform import a b"
POINTS = (
    # Of a decision: what is read, judged, kept, recorded, said.
    Point("check", "good.json", "tfgate.gate.gather:load_gate_config"),
    Point("check", "good.json", "tfgate.gate.gather:read_plan", due=True),
    Point("check", "good.json", "tfgate.gate.gather:for_workspace", due=True),
    Point("check", "good.json", "tfgate.gate.check:evaluate", due=True),
    Point("check", "good.json", "tfgate.gate.record:write_evidence", due=True),
    Point("check", "good.json", "tfgate.audit.decision:keep_plan", due=True,
          tolerates=(PlanError,)),
    Point("check", "good.json", "tfgate.gate.record:origins", due=True),
    Point("check", "good.json", "tfgate.audit.writer:AuditTrail.append"),
    Point("check", "good.json", "tfgate.command.output:render", due=True),
    Point("check", "good.json", "tfgate.gate.delivery:make_checkpoint", due=True,
          config="signing", tolerates=(TfgateError, OSError)),
    Point("check", "good.json", "tfgate.gate.delivery:require", due=True, config="strict"),
    Point("check", "good.tfplan", "tfgate.terraform.runner:run_helper", due=True),
    Point("check", "good.tfplan --receipt new.json", "tfgate.gate.receipts:seal", due=True),
    Point("check", "bad.tfplan --approval approval.json", "tfgate.gate.approvals:read_sealed",
          due=True),
    Point("check", "plans", "tfgate.gate.check:evaluate", due=True),
    Point("check", "--source . -r tfgate:source --allow-empty",
          "tfgate.gate.check:evaluate_sources", due=True),
    Point("apply", _APPLY, "tfgate.gate.apply:plan_place", due=True),
    Point("apply", _APPLY, "tfgate.gate.apply:show_plan_file", due=True),
    Point("apply", "-auto-approve", "tfgate.gate.apply:_run", due=True),
    Point("apply", _APPLY, "tfgate.gate.check:evaluate", due=True),
    Point("apply", _APPLY, "tfgate.audit.writer:AuditTrail.append"),
    Point("apply", _APPLY, "tfgate.gate.terraform_apply:is_unchanged", due=True),
    Point("apply", _APPLY, "tfgate.terraform.runner:run_foreground", due=True),
    Point("apply", f"{_APPLY} --receipt receipt.json", "tfgate.gate.receipts:unseal",
          due=True),
    Point("exec", "-- terraform apply good.tfplan", "tfgate.gate.check:evaluate", due=True),
    Point("exec", _IMPORT, "tfgate.gate.exec:operator_of", due=True),
    Point("exec", _IMPORT, "tfgate.terraform.runner:run_foreground", due=True),
    Point("exec", "-- terraform version", "tfgate.gate.exec:find_terraform"),
    Point("exec", "-- true", "tfgate.gate.exec:run_foreground"),
    Point("atlantis", "", "tfgate.gate.check:evaluate", due=True),
    Point("atlantis", "", "tfgate.atlantis.command:make_request"),
    Point("atlantis apply", "", "tfgate.gate.check:evaluate", due=True),
    Point("atlantis apply", "--check-only", "tfgate.gate.check:evaluate", due=True),
    # Of what decides nothing.
    Point("init", "fresh --owner a@b.example --name acme --for local",
          "tfgate.authoring.init:starter_files"),
    Point("approve", "request.json --key {gate}/keys/approver --reason x --expires 2h --yes "
          "--output new.json", "tfgate.approvals.approve:seal"),
    Point("approvals wait", "none --server https://gate.example",
          "tfgate.approvals.wait:load_gate_config"),
    Point("login", "", "tfgate.command.login:load_gate_config"),
    Point("logout", "", "tfgate.command.login:load_gate_config"),
    Point("whoami", "", "tfgate.command.login:load_gate_config"),
    Point("review", "good.json", "tfgate.review.layout:evaluate_and_record"),
    Point("verify", "{decided} --state state.json", "tfgate.gate.verify:check_on_state"),
    Point("shim install", "{root}/shims", "tfgate.gate.exec:shim_script"),
    Point("explain", "good.json --rule A-1", "tfgate.gate.gather:read_plan"),
    Point("eval", "good.json after.tags --address aws_s3_bucket.logs",
          "tfgate.gate.gather:read_plan"),
    Point("rules new", "A-9 --from good.json --address aws_s3_bucket.logs --attribute bucket",
          "tfgate.authoring.new:run_examples"),
    Point("rules test", "{gate}/policy", "tfgate.authoring.rule_tests:run_example"),
    Point("rules mutate", "{gate}/policy --only A-1", "tfgate.authoring.mutate:mutate_ruleset"),
    Point("rules upgrade", "{gate}/policy", "tfgate.authoring.upgrade:read_toml"),
    Point("rules lint", "{gate}/policy", "tfgate.authoring.lint.command:lint_rulesets"),
    Point("rules docs", "{gate}/policy --out pages", "tfgate.authoring.docs:write_docs"),
    Point("rules update", "", "tfgate.history.update:update_rulesets"),
    Point("rules log", "A-1", "tfgate.history.log:logs_of", config="history"),
    Point("rules review", "--base HEAD^", "tfgate.history.review:review_rules", config="history"),
    Point("rules list", "", "tfgate.gate.rules:rules_in_force"),
    Point("rules show", "A-1", "tfgate.gate.rules:describe_rule"),
    Point("impact", "--base HEAD^ --plans plans", "tfgate.history.impact_command:recorded_plans"),
    Point("audit search", "", "tfgate.trail.search:find_hits"),
    Point("audit report", "", "tfgate.trail.report:make_report"),
    Point("audit export", "--decision {decided} --output bundle",
          "tfgate.trail.bundle:make_bundle"),
    Point("audit deliver", "", "tfgate.trail.sinks:deliver_once", config="sinking"),
    Point("audit status", "", "tfgate.trail.sinks:statuses", config="sinking"),
    Point("audit sql", "select~1", "tfgate.trail.search:ask"),
    Point("audit checkpoint", "--key {gate}/keys/audit", "tfgate.audit.checkpoint:sign"),
    Point("audit show", "{decided}", "tfgate.gate.trail:show_records"),
    Point("audit verify", "", "tfgate.gate.trail:verify"),
    Point("atlantis doctor", "--repos {gate}/repos.yaml",
          "tfgate.atlantis.doctor:server_traps"),
    Point("serve", "--config {gate}/server.toml", "tfgate.server.server:serve"),
    Point("serve", "--check --config {gate}/server.toml", "tfgate.server.settings:load_policies"),
    Point("waivers import", ". --owner a@b.example --expires 2027-01-31",
          "tfgate.approvals.waiver_import:import_waivers"),
    Point("waivers list", "", "tfgate.approvals.waivers:list_exceptions"),
    Point("config", "", "tfgate.command.config:load_gate_config"),
    Point("schema", "", "tfgate.authoring.schema:schema_names"),
    Point("schema", "config", "tfgate.authoring.schema:schema_text"),
    Point("schema index", "--from schema.json --provider-version 5.1.0",
          "tfgate.authoring.schema:make_indexes"),
    Point("lsp", "", "tfgate.authoring.lsp.server:make_server"),
    Point("completion", "bash", "click.shell_completion:get_completion_class"),
)  # fmt: skip


def scenario_of(point: Point) -> Scenario:
    """Return the command line, with the files that its scenario of faults has."""
    like = next((one for one in SCENARIOS if one.command == point.command), None)
    return Scenario(
        point.command,
        point.arguments,
        config=point.config,
        cwd="work" if like is None else like.cwd,
        env={} if like is None else {n: v for n, v in like.env.items() if n != "TFGATE_PLAN_COPY"},
    )


class SneakyError(TfgateError):
    """A class of errors that says of itself that it allows."""

    exit_code = ExitCode.ALLOWED


_VALUES: dict[str, Any] = {
    "message": "It was let loose.",
    "problems": [Problem("tfgate.toml", "it was let loose")],
    "record": {"seq": 1, "time": "2026-01-01T00:00:00Z"},
    "expression": "a.b",
    "position": 0,
    "again": False,
    "status": 409,
}
"""What constructors of errors are given, by the parameter's name."""


def tfgate_errors() -> dict[str, Callable[[], BaseException]]:
    """Return how to make an error of every class in the tree, wherever it is defined."""
    for module in pkgutil.walk_packages(tfgate.__path__, "tfgate."):
        if "__main__" not in module.name:
            importlib.import_module(module.name)
    return {cls.__name__: _maker(cls) for cls in _below(TfgateError)}


def _below(cls: type[TfgateError]) -> Iterator[type[TfgateError]]:
    yield cls
    for sub in cls.__subclasses__():
        yield from _below(sub)


def _maker(cls: type[TfgateError]) -> Callable[[], BaseException]:
    needed = [
        parameter
        for parameter in inspect.signature(cls).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    unknown = [parameter.name for parameter in needed if parameter.name not in _VALUES]
    assert not unknown, f"_VALUES has nothing for {unknown} of {cls.__name__}"

    def make() -> BaseException:
        plain = [_VALUES[one.name] for one in needed if one.kind is not one.KEYWORD_ONLY]
        named = {one.name: _VALUES[one.name] for one in needed if one.kind is one.KEYWORD_ONLY}
        return cls(*plain, **named)

    return make


UNFORESEEN: dict[str, Callable[[], BaseException]] = {
    "Exception": lambda: Exception(CANARY),
    "ValueError": lambda: ValueError(CANARY),
    "MemoryError": lambda: MemoryError(),
    "RecursionError": lambda: RecursionError(CANARY),
    "KeyboardInterrupt": lambda: KeyboardInterrupt(),
    "BrokenPipeError": lambda: BrokenPipeError(32, "Broken pipe"),
    "SystemExit 0": lambda: SystemExit(0),
    "SystemExit": lambda: SystemExit(),
    "GeneratorExit": lambda: GeneratorExit(),
    "OSError": lambda: OSError(5, "Input/output error", "some/file"),
    "OSError without words": lambda: OSError(CANARY),
    "EOFError": lambda: EOFError(),
    "ImportError": lambda: ImportError(CANARY),
    "UnicodeDecodeError": lambda: UnicodeDecodeError("utf-8", CANARY.encode(), 0, 1, "bad"),
    "BaseException": lambda: BaseException(CANARY),
}
"""What nobody raises on purpose, and what Python and the system raise."""
