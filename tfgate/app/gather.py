"""Gather what an evaluation needs: configuration, plan, rules, who and where."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from tfgate.app.inputs import PlanInput, read_plan_input
from tfgate.app.request import Gathered, GatheredSources, Request
from tfgate.app.sources import Sources
from tfgate.engine.context import Context
from tfgate.engine.functions import rule_functions
from tfgate.errors import UsageError
from tfgate.plan import read_plan
from tfgate.ruleset import Evaluate, for_workspace, load_gate_config
from tfgate.ruleset.frozen import Frozen
from tfgate.terraform import begin_run, detect_operator, detect_workspace, planned_workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tfgate.model.identity import Operator, Run, Workspace
    from tfgate.plan import Plan
    from tfgate.ruleset import Effective, GateConfig


def load_config(request: Request) -> GateConfig:
    """Read the configuration in force. Raises ``ConfigError``."""
    return load_gate_config(request.cwd, request.env, config=request.config, flags=request.flags)


def gather(
    request: Request, config: GateConfig, read: Callable[[], PlanInput] | None = None
) -> Gathered:
    """Read everything else. Raises ``TfgateError`` of the kind that fits what is wrong.

    ``read`` gives the plan; without it, what ``request.plan`` names is read.
    """
    if not request.directory.is_dir():
        raise UsageError(f"{request.directory} is not a directory.", hint="See --root.")
    warnings: list[str] = []
    pending = begin_run(request.env, request.directory)
    claimed = detect_workspace(
        request.env, request.workspace, request.directory, warn=warnings.append
    )
    operator = detect_operator(request.env, request.operator, request.directory)
    effective = _rules(request, config, claimed)
    warnings += config.notes
    plan_input = (
        read_plan_input(request.plan, env=request.env, cwd=request.directory)
        if read is None
        else read()
    )
    workspace = _settled(plan_input, claimed, request)
    plan = read_plan(plan_input.data, name=plan_input.name)
    sources = _sources(request, plan, plan_input)
    if plan_input.plan_file_sha256 is None or plan_input.snapshot is not None:
        sources.give_to(plan)  # a directory may have changed since a plan file was made
    run = pending.result()
    context = _with_comments(
        _context(request, config, effective, workspace, operator, run, sources), sources
    )
    if not config.on("gate.uncommitted_waivers"):
        doubts = sources.comment_doubts(context.waivers, request.env)
        context = replace(context, comment_doubts=doubts)
    return Gathered(
        config=config,
        input=plan_input,
        plan=plan,
        effective=effective,
        workspace=workspace,
        operator=operator,
        run=run,
        context=context,
        sources=sources,
        warnings=tuple(warnings),
    )


class Surroundings(Frozen, frozen=True):
    """What an evaluation needs beside a plan."""

    effective: Effective
    workspace: Workspace
    operator: Operator
    context: Context
    sources: Sources


def gather_without_plan(request: Request, config: GateConfig) -> Surroundings:
    """Read what does not depend on a plan. Raises as ``gather`` does."""
    pending = begin_run(request.env, request.directory)
    workspace = detect_workspace(request.env, request.workspace, request.directory)
    operator = detect_operator(request.env, request.operator, request.directory)
    effective = _rules(request, config, workspace)
    sources = _sources(request)
    run = pending.result()
    context = _context(request, config, effective, workspace, operator, run, sources)
    return Surroundings(effective, workspace, operator, context, sources)


def gather_sources(request: Request, config: GateConfig) -> GatheredSources:
    """Read what rules on sources need. Raises as ``gather`` does."""
    if not request.directory.is_dir():
        raise UsageError(f"{request.directory} is not a directory.", hint="See --source.")
    around = gather_without_plan(request, config)
    return GatheredSources(
        config=config,
        input=PlanInput(b"", str(request.directory)),
        effective=around.effective,
        workspace=around.workspace,
        operator=around.operator,
        context=_with_comments(around.context, around.sources),
        sources=around.sources,
    )


def _rules(request: Request, config: GateConfig, workspace: Workspace) -> Effective:
    if request.rules is not None:
        return request.rules(config, workspace.name)
    return for_workspace(config, workspace.name, functions=rule_functions(), shipped_examples=False)


def _settled(plan: PlanInput, claimed: Workspace, request: Request) -> Workspace:
    """Give the workspace that the plan is for: its own word, where it is a plan file.

    Raises ``PlanError`` where what is claimed is not what the plan file says. So it has the name
    that the rules in force were chosen by.
    """
    if plan.plan_file is None:
        return claimed

    workspace = planned_workspace(plan.plan_file, claimed, request.env, name=plan.name)
    if workspace.backend != "local" or not plan.state_options:
        return workspace
    return replace(workspace, identity={**workspace.identity, **plan.state_options})


def _sources(
    request: Request, plan: Plan | None = None, plan_input: PlanInput | None = None
) -> Sources:
    return Sources(
        request.directory,
        _data_dir(request.env),
        plan=plan,
        snapshot=None if plan_input is None else plan_input.snapshot,
        progress=request.progress,
    )


def _with_comments(context: Context, sources: Sources) -> Context:
    """Add the waivers that stand in comments of the sources."""
    waivers, problems = sources.comment_waivers()
    return replace(context, waivers=(*context.waivers, *waivers), waiver_problems=problems)


def _data_dir(env: Mapping[str, str]) -> Path | None:
    named = env.get("TF_DATA_DIR")
    return Path(named) if named else None


def _context(
    request: Request,
    config: GateConfig,
    effective: Effective,
    workspace: Workspace,
    operator: Operator,
    run: Run,
    sources: Sources,
) -> Context:
    return Context(
        workspace=workspace,
        operator=operator,
        now=request.now,
        run=run,
        facts=request.facts,
        params=effective.params,
        data=_data_values(effective),
        levels=effective.levels,
        evaluate_all=config.evaluate is Evaluate.ALL,
        allow_empty=config.allow_empty,
        waivers=config.waivers,
        waiver_notice_days=config.waiver_notice_days,
        comment_waiver_levels=config.comment_waivers,
        comment_waiver_globs=config.comment_waiver_globs,
        locate=sources.locate,
        locate_element=sources.locate_element,
        blocks=sources.blocks,
        undeclared=sources.undeclared,
    )


def _data_values(effective: Effective) -> dict[str, dict[str, Any]]:
    return {
        ruleset: {name: file.value for name, file in files.items()}
        for ruleset, files in effective.data.items()
    }
