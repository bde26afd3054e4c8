"""``tfgate check`` of several plans: one decision each, and one overall."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tfgate.app.check import judge_and_record, new_decision_id
from tfgate.app.gather import load_config
from tfgate.app.inputs import PlanInput, read_plan_input
from tfgate.app.record import Recorder
from tfgate.errors import SeveralDocumentsError, TfgateError, UsageError
from tfgate.exitcodes import ExitCode
from tfgate.plan.stream import split_stream
from tfgate.ruleset.frozen import Frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tfgate.app.check import CheckResult
    from tfgate.app.request import Request

_NO_PLANS = (".tf.json", ".tofu.json", ".tfvars.json")
_BADNESS = (ExitCode.ALLOWED, ExitCode.DENIED, ExitCode.USAGE, ExitCode.UNDECIDED)


class Entry(Frozen, frozen=True):
    """One plan of several: a decision, or why there is none."""

    name: str
    result: CheckResult | None = None
    error: TfgateError | None = None

    @property
    def exit_code(self) -> ExitCode:
        """What a check of this plan alone would end with."""
        if self.result is not None:
            return self.result.exit_code
        # No error allows anything, whatever a class of it may say.
        code = ExitCode.UNDECIDED if self.error is None else self.error.exit_code
        return code or ExitCode.UNDECIDED


def overall(entries: Sequence[Entry]) -> ExitCode:
    """Give the exit code of all together: the worst of them."""
    return max((entry.exit_code for entry in entries), key=_BADNESS.index)


def check_all(request: Request, *, audit: bool = True) -> list[Entry]:
    """Judge what ``request.plan`` names: a plan, a stream of plans, or a directory of them.

    Of one plan there is one entry, and what is wrong with it is raised as ``check`` raises it; of
    several every one is judged, whatever is wrong with another.
    """
    config = load_config(request)
    recorder = Recorder.of(config, request) if audit else None

    def judge(read: Callable[[], PlanInput], *, stream: bool = False) -> CheckResult:
        return judge_and_record(request, config, recorder, read, stream=stream).result

    if request.plan != "-" and Path(request.plan).is_dir():
        return [_entry(name, read, judge) for name, read in _in_directory(request)]
    plan: PlanInput | None = None

    def single() -> PlanInput:
        nonlocal plan
        plan = read_plan_input(
            request.plan, env=request.env, cwd=request.directory, ahead=request.ahead
        )
        return plan

    try:
        result = judge(single, stream=True)
    except SeveralDocumentsError as error:
        parts = [] if plan is None else split_stream(plan.data)
        if plan is None or len(parts) < 2:
            if recorder is not None:
                recorder.undecided(new_decision_id(request.now), error)
            raise
        return [_entry(part.name, lambda part=part: part, judge) for part in _named(plan, parts)]  # type: ignore[misc]  # the default binds it
    return [Entry(result.plan_name, result)]


def _named(plan: PlanInput, parts: Sequence[bytes]) -> list[PlanInput]:
    return [
        PlanInput(part, f"{plan.name} (plan {number} of {len(parts)})")
        for number, part in enumerate(parts, 1)
    ]


def _entry(
    name: str,
    read: Callable[[], PlanInput],
    judge: Callable[[Callable[[], PlanInput]], CheckResult],
) -> Entry:
    try:
        return Entry(name, judge(read))
    except TfgateError as error:
        if error.exit_code is ExitCode.USAGE:
            raise
        return Entry(name, error=error)


def _in_directory(request: Request) -> Iterator[tuple[str, Callable[[], PlanInput]]]:
    """Give every plan below a directory, by path. Raises ``UsageError`` where there is none."""
    files = find_plans(Path(request.plan))
    if not files:
        raise UsageError(
            f"There is no plan in {request.plan}.",
            hint="Plans are files that end in .tfplan or .json, as terragrunt's --out-dir and "
            "--json-out-dir write them.",
        )
    for file in files:

        def read(file: str = str(file)) -> PlanInput:
            return read_plan_input(file, env=request.env, cwd=request.directory)

        yield str(file), read


def find_plans(directory: Path) -> list[Path]:
    """Find the plans below a directory, sorted: hidden directories are passed over.

    Of a plan file and its JSON of the same name the JSON is taken: it needs no Terraform.
    """
    found: dict[Path, Path] = {}
    for folder, below, names in os.walk(directory):
        below[:] = [name for name in below if not name.startswith(".")]
        for name in sorted(names):
            path = Path(folder, name)
            if path.suffix in (".json", ".tfplan") and not name.endswith(_NO_PLANS):
                stem = path.with_suffix("")
                stem = stem.with_suffix("") if stem.suffix == ".tfplan" else stem
                if path.suffix == ".json" or stem not in found:
                    found[stem] = path
    return sorted(found.values())
