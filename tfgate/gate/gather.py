"""Gather what an evaluation needs: configuration, plan, rules, who and where."""

from __future__ import annotations

import hashlib
import re
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from tfgate.engine.context import Context
from tfgate.engine.functions import rule_functions
from tfgate.errors import PlanError, UsageError
from tfgate.gate.absent import refuse_absent
from tfgate.gate.inputs import PlanInput, read_plan_input
from tfgate.gate.operator import operator_of
from tfgate.gate.request import Gathered, GatheredSources, Request
from tfgate.model import Frozen
from tfgate.model.action import Action
from tfgate.model.decision import DataFacts, SourceFacts
from tfgate.model.text import late
from tfgate.plan import read_plan
from tfgate.query.values import UNKNOWN
from tfgate.ruleset import Evaluate, for_workspace, load_gate_config
from tfgate.ruleset.facts import given_facts
from tfgate.terraform import begin_run, detect_workspace, planned_workspace
from tfgate.terraform.gitdir import GitDir

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from tfgate.gate.inputs import Snapshot
    from tfgate.hcl.index import SourceIndex
    from tfgate.hcl.subject import SourceBlock
    from tfgate.hcl.waivers import WaiverProblem
    from tfgate.hcl.written import SourceText
    from tfgate.model.address import Location
    from tfgate.model.decision import Operator, Run, Waiver, Workspace
    from tfgate.plan import Change, Plan
    from tfgate.ruleset import Effective, GateConfig


_SUFFIXES = (".tf", ".tofu", ".tf.json", ".tofu.json")
_GOES = frozenset({Action.DELETE, Action.FORGET})
_HEADER = late(rb'^[ \t]*resource[ \t]+"([^"\n]+)"[ \t]+"([^"\n]+)"', re.MULTILINE)


class Sources:
    """The configuration below one directory, or that of a plan file, indexed when first needed.

    A plan file keeps its own; for plan JSON the directory is read. Its sources may turn out to be
    those of another plan: then nothing is located, and no comment waives.
    """

    def __init__(
        self,
        root: Path,
        data_dir: Path | None,
        *,
        plan: Plan | None = None,
        snapshot: Snapshot | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self._root = root
        self._data_dir = data_dir
        self._plan = plan
        self._snapshot = snapshot
        self._progress = progress
        self._asked = False
        self._evaluated = False

    @cached_property
    def index(self) -> SourceIndex | None:
        """The index, or ``None`` where the directory holds no configuration.

        Raises ``PlanError`` where a plan file's own cannot be read.
        """
        if self._snapshot is not None:
            return self._planned(self._snapshot)
        try:
            names = [entry.name for entry in self._root.iterdir()]
        except OSError:
            return None
        if not any(name.endswith(_SUFFIXES) for name in names):
            return None
        from tfgate.hcl.index import SourceIndex

        return SourceIndex.build(self._root, data_dir=self._data_dir)

    def _planned(self, snapshot: Snapshot) -> SourceIndex:
        from tfgate.hcl.index import SourceIndex

        try:
            return SourceIndex.of_plan(self._root, snapshot())
        except ValueError as error:
            raise PlanError(
                f"The configuration in the plan file is not as Terraform keeps it: {error}.",
                hint="Plan again.",
            ) from None

    @property
    def prefix(self) -> str:
        """The directory as seen from the top of its repository, with ``/``; empty at the top."""
        root = self._root.absolute()
        checkout = GitDir.find(root)
        if checkout is None or not root.is_relative_to(checkout.top):
            return ""
        prefix = root.relative_to(checkout.top).as_posix()
        return "" if prefix == "." else prefix

    @property
    def fallback_file(self) -> str | None:
        """A file of the root module that findings without a place may point at."""
        try:
            names = sorted(entry.name for entry in self._root.iterdir())
        except OSError:
            return None
        files = [name for name in names if name.endswith(_SUFFIXES)]
        return "main.tf" if "main.tf" in files else next(iter(files), None)

    def locate(self, address: str, attribute: str | None) -> Location | None:
        """Return the place of an address, or of one of its attributes, where it is known."""
        if self.index is None:
            return None
        self._asked = True
        return None if self.undeclared() else self.index.locate(address, attribute)

    def locate_element(self, address: str, name: str, element: object) -> Location | None:
        """Return the place of the nested block that made an element of a planned value."""
        if self.locate(address, None) is None or self.index is None:
            return None
        return self.index.locate_element(address, name, element)

    def blocks(
        self, kinds: Collection[str], types: Collection[str]
    ) -> Iterable[SourceBlock] | None:
        """Return the blocks that are wanted, parsed; ``None`` where there is no configuration."""
        if self.index is None:
            return None
        from tfgate.hcl.source_blocks import blocks

        self._asked = self._evaluated = True
        return blocks(self.index, kinds=kinds, types=types, merged=True, progress=self._progress)

    def give_to(self, plan: Plan) -> None:
        """Let the plan look up how its expressions are written, once anything asks for that."""
        plan.use_sources(_Text(self))

    @cached_property
    def text(self) -> SourceText | None:
        """What the blocks say, or ``None`` where these are not the plan's sources."""
        if self.index is None:
            return None
        from tfgate.hcl.written import SourceText

        self._asked = self._evaluated = True
        return None if self.undeclared() else SourceText(self.index)

    def comment_waivers(self) -> tuple[Sequence[Waiver], Sequence[WaiverProblem]]:
        """Return the waivers in comments, and the comments that were meant to be one."""
        if self.index is None:
            return (), ()
        from tfgate.hcl.index import is_whole
        from tfgate.hcl.waivers import comment_waivers

        waivers, problems = comment_waivers(self.index)
        if not waivers:
            return (), problems
        self._asked = True
        if self._plan is None or self._snapshot is not None:
            return waivers, problems
        if not is_whole(self.index):
            return (), [*problems, *map(_not_whole, waivers)]
        return () if self.undeclared() else waivers, problems

    def comment_doubts(self, waivers: Iterable[Waiver], env: Mapping[str, str]) -> dict[str, str]:
        """Return, by file, why its comment waivers may be younger than the plan, in a clause.

        Files that were committed before the plan was made, and are unchanged since, are not named;
        nor is any where there is no plan: then the sources are evaluated, comments and all.
        """
        places = (waiver.location for waiver in waivers if waiver.kind == "comment")
        names = {place.file for place in places if place is not None}
        if not names or self.index is None or self._plan is None:
            return {}
        from tfgate.gate.waiver_origin import comment_doubts

        files = {
            file.path: file
            for node in self.index.modules()
            for file in node.source.files
            if file.name in names
        }
        contents = {path: file.data for path, file in files.items()}
        # What a plan file keeps is as old as the plan, whenever it was committed.
        planned = None if self._snapshot is not None else self._plan.timestamp
        found = comment_doubts(self._root, contents, env, planned)
        return {files[path].name: why for path, why in found.items()}

    def undeclared(self) -> Sequence[str]:
        """Return the addresses that the plan makes or keeps, and that no block declares.

        Where nobody has asked for anything, a look at the bytes of the root module has to do: it
        finds the header of every resource, or the full answer is needed.
        """
        if self.index is None or self._plan is None:
            return ()
        if not self._asked and not self._missing_headers(self.index, self._plan):
            return ()
        return self._disagreement

    @cached_property
    def _disagreement(self) -> list[str]:
        if self.index is None or self._plan is None:
            return []
        from tfgate.hcl.index import disagreement

        return disagreement(self.index, [change.address for change in _staying(self._plan)])

    @staticmethod
    def _missing_headers(index: SourceIndex, plan: Plan) -> bool:
        wanted = {
            (change.type.encode(), change.name.encode())
            for change in _staying(plan)
            if not change.module_address
        }
        if wanted:
            for file in next(index.modules()).source.files:
                wanted.difference_update(_HEADER.findall(file.data))
        return bool(wanted)

    def facts(self) -> SourceFacts | None:
        """Return which sources were evaluated, where any were."""
        if self.index is None or not self._evaluated:
            return None
        files = {
            file.name: file.data
            for node in self.index.modules()
            if not node.downloaded
            for file in node.source.files
        }
        digest = hashlib.sha256()
        for name, data in sorted(files.items()):
            digest.update(f"{name}\x00{hashlib.sha256(data).hexdigest()}\n".encode())
        return SourceFacts(root=str(self._root), files=len(files), sha256=digest.hexdigest())

    def warnings(self) -> tuple[str, ...]:
        """Return what could not be read, each once; nothing where nothing was looked up."""
        if not self._asked or self.index is None:
            return ()
        return tuple(problem.render() for problem in self.index.problems)


def _not_whole(waiver: Waiver) -> WaiverProblem:
    """Say that a comment waives nothing, since Terraform cannot have planned these sources."""
    from tfgate.hcl.comments import ProblemKind
    from tfgate.hcl.waivers import WaiverProblem

    assert waiver.location is not None, "a comment stands somewhere"
    message = (
        "The waiver comment waives nothing: not all of the sources can be read, so they cannot be "
        "those of the plan."
    )
    return WaiverProblem(waiver.location, message, ProblemKind.NOT_WHOLE)


class _Text:
    """`Sources.text`, made when it is first asked for."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def expression(self, module: Sequence[str], block: str, path: Sequence[str]) -> str | None:
        text = self._sources.text
        return None if text is None else text.expression(module, block, path)

    def dynamic(self, module: Sequence[str], block: str) -> Mapping[str, Sequence[str]] | None:
        text = self._sources.text
        return None if text is None else text.dynamic(module, block)

    def evaluate(self, text: str, resolve: Callable[[str], Any]) -> Any:
        source = self._sources.text
        return UNKNOWN if source is None else source.evaluate(text, resolve)


def _staying(plan: Plan) -> Iterable[Change]:
    """Return the resources that will be there after the apply.

    Data sources are left out: one may stand inside a check block.
    """
    return (
        change
        for change in plan.changes
        if change.mode == "managed" and change.deposed is None and change.action not in _GOES
    )


def digest_of(plan_input: PlanInput, plan: Plan) -> str:
    """Return the SHA-256 (hex) of the plan file, or of plan JSON where there was no file."""
    return plan_input.plan_file_sha256 or plan.json_sha256


def load_config(request: Request) -> GateConfig:
    """Read the configuration in force. Raises ``ConfigError``."""
    config = load_gate_config(request.cwd, request.env, config=request.config, flags=request.flags)
    if not request.data:
        return config
    given = {name: request.cwd / path for name, path in request.data.items()}
    return replace(config, given_data=given)


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
    effective = _rules(request, config, claimed)
    warnings += config.notes
    plan_input = (
        read_plan_input(request.plan, env=request.env, cwd=request.directory)
        if read is None
        else read()
    )
    workspace = _settled(plan_input, claimed, request)
    plan = read_plan(plan_input.data, name=plan_input.name)
    about = "" if request.identity_key is None else digest_of(plan_input, plan)
    operator = operator_of(request, config, workspace.name, warnings.append, about)
    sources = _sources(request, plan, plan_input)
    if plan_input.plan_file_sha256 is None or plan_input.snapshot is not None:
        sources.give_to(plan)  # a directory may have changed since a plan file was made
    run = pending.result()
    context = _with_comments(
        _context(request, config, effective, workspace, operator, run, sources), sources
    )
    if not config.gate.uncommitted_waivers:
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
    warnings: tuple[str, ...]


def gather_without_plan(request: Request, config: GateConfig) -> Surroundings:
    """Read what does not depend on a plan. Raises as ``gather`` does."""
    warnings: list[str] = []
    pending = begin_run(request.env, request.directory)
    workspace = detect_workspace(request.env, request.workspace, request.directory)
    operator = operator_of(request, config, workspace.name, warnings.append)
    effective = _rules(request, config, workspace)
    sources = _sources(request)
    run = pending.result()
    context = _context(request, config, effective, workspace, operator, run, sources)
    return Surroundings(effective, workspace, operator, context, sources, tuple(warnings))


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
        warnings=around.warnings,
    )


def _rules(request: Request, config: GateConfig, workspace: Workspace) -> Effective:
    if request.rules is not None:
        return request.rules(config, workspace.name)
    found = for_workspace(
        config, workspace.name, functions=rule_functions(), shipped_examples=False
    )
    refuse_absent(found.rulesets, config.gate.allow, request.env)
    return found


def _settled(plan: PlanInput, claimed: Workspace, request: Request) -> Workspace:
    """Return the workspace that the plan is for: its own word, where it is a plan file.

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
        facts=given_facts([each.context for each in effective.rulesets], request.facts),
        params=effective.params,
        data=_data_values(effective),
        levels=effective.levels,
        evaluate_all=config.gate.evaluate is Evaluate.ALL,
        allow_empty=config.gate.allow_empty,
        waivers=config.waivers,
        waiver_notice_days=config.gate.waiver_notice_days,
        comment_waiver_levels=frozenset(config.gate.comment_waivers),
        comment_waiver_globs=config.gate.comment_waiver_globs,
        locate=sources.locate,
        locate_element=sources.locate_element,
        blocks=sources.blocks,
        undeclared=sources.undeclared,
    )


def data_facts(effective: Effective) -> tuple[DataFacts, ...]:
    """Return which data files the rules read, by ruleset and name."""
    return tuple(
        DataFacts(ruleset, name, file.sha256, file.source)
        for ruleset, files in sorted(effective.data.items())
        for name, file in sorted(files.items())
    )


def _data_values(effective: Effective) -> dict[str, dict[str, Any]]:
    return {
        ruleset: {name: file.value for name, file in files.items()}
        for ruleset, files in effective.data.items()
    }
