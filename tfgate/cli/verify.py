"""``tfgate verify``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tfgate.app.verify import Source, verify_decision
from tfgate.cli.options import judging_options, make_request
from tfgate.cli.output import tell, write_out
from tfgate.engine.recheck import Result
from tfgate.report.neutral import console

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.app.obligations import Obligations


@click.command(epilog="Example: tfgate verify 20261124T120000Z-0123456789abcdef")
@click.argument("decision_id")
@judging_options
@click.option("--audit-log", metavar="FILE", help="Audit trail with the decision.")
@click.option(
    "--evidence",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Directory of evidence files, or the decision's own file.",
)
@click.option(
    "--plan",
    "plan_file",
    metavar="FILE",
    help="The plan of the decision, for rules that look at more than the state.",
)
@click.option("--state", metavar="FILE", type=click.Path(path_type=Path),
              help="Output of terraform show -json, instead of asking terraform.")  # fmt: skip
def verify(
    decision_id: str,
    audit_log: str | None,
    evidence: Path | None,
    plan_file: str | None,
    state: Path | None,
    **options: Any,
) -> int:
    """Check what a decision let through as unknown, on the state as it is now.

    DECISION_ID may be shortened. The rulesets in force must be those of the decision. Exit code 0:
    everything holds; 1: something is broken; 3: something could not be checked.
    """
    request = make_request("the state", audit_log=audit_log, **options)
    found = verify_decision(request, decision_id, Source(evidence, plan_file, state))
    for warning in found.warnings:
        tell(f"tfgate: {warning}")
    lines = list(obligation_lines(found.obligations))
    if not lines:
        lines = [f"The decision {found.decision_id} let nothing through as unknown."]
    write_out("".join(f"{line}\n" for line in lines))
    return int(found.obligations.exit_code)


def obligation_lines(obligations: Obligations) -> Iterator[str]:
    """Say what became of each obligation, one line each."""
    words = {
        Result.MET: "holds after the apply",
        Result.BROKEN: "is BROKEN after the apply",
        Result.UNRESOLVED: "could not be checked after the apply",
    }
    for one in obligations.checked:
        told = "" if one.result is Result.MET else f": {one.message}"
        yield console(f"{one.rule} {words[one.result]} on {one.address}{told}")
