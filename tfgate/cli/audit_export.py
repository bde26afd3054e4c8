"""``tfgate audit export``: all about one decision, to be verified without tfgate."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import click

from tfgate.app.bundle import make_bundle
from tfgate.app.bundle_pack import pack
from tfgate.app.rules_at import RulesPlace
from tfgate.app.trail import find_trail
from tfgate.cli.output import tell
from tfgate.errors import TfgateError


@click.command(
    "export", epilog="Example: tfgate audit export --decision 20260131T12 --output bundle.zip"
)
@click.argument("files", nargs=-1, metavar="[FILE|DIR]...")
@click.option(
    "--decision",
    "decision_id",
    required=True,
    metavar="ID",
    help="Id of the decision, which may be shortened, or last.",
)
@click.option(
    "--output", "-o", required=True, metavar="FILE", help="Archive to write: .zip, .tar.gz or .tgz."
)
@click.option(
    "--evidence", metavar="DIR", help="Evidence files (default, without FILE: the trail's own)."
)
@click.option(
    "--without-chain",
    is_flag=True,
    help="Leave out the records between the decision and the next checkpoint: other "
    "decisions are among them, and without them nothing links the two.",
)
@click.option("--config", metavar="FILE", help="Configuration that says where the trail is.")
def export(
    files: tuple[str, ...],
    decision_id: str,
    output: str,
    evidence: str | None,
    without_chain: bool,
    config: str | None,
) -> None:
    """Write a bundle: records, evidence, the rulesets as evaluated, a checkpoint, and a program
    that verifies all of it with Python alone.

    Rulesets are taken from where they are now, or from git at the commit on record, if their
    digest is the one on record. The same decision gives the same bytes.
    """
    trail = find_trail(files, cwd=Path.cwd(), env=os.environ, config=config)
    if evidence is not None:
        trail = replace(trail, evidence=evidence)
    place = RulesPlace(Path.cwd(), os.environ, config)
    bundle = make_bundle(trail, decision_id, place, chain=not without_chain)
    data = pack(bundle.files, output, f"tfgate-{bundle.decision_id}")
    try:
        Path(output).write_bytes(data)
    except OSError as error:
        raise TfgateError(f"The bundle {output} cannot be written: {error.strerror}.") from None
    tell(f"{output}: {len(bundle.files)} files about {bundle.decision_id}.")
    for sentence in bundle.missing:
        tell(f"tfgate: {sentence}")
