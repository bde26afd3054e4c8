"""``tfgate review``."""

from __future__ import annotations

import os
import tempfile
import webbrowser
from pathlib import Path
from typing import Any

import click
from msgspec.structs import asdict

from tfgate._version import __version__
from tfgate.command.options import evaluation_options, make_request
from tfgate.command.output import terminal, write_err, write_out
from tfgate.errors import TfgateError, UsageError
from tfgate.model.action import Action
from tfgate.report import ReportContext
from tfgate.review import html as review_html
from tfgate.review import text as review_text
from tfgate.review.layout import ReviewFilter
from tfgate.review.layout import review as run_review


def write_page(text: str, file: str | None) -> Path:
    """Write the page to ``file``, else to a new file that its owner alone can read.

    Nothing sensitive is in it, but what a company runs is nobody else's business. The private file
    stays: the browser reads it when this process is gone. Raises ``TfgateError``.
    """
    data = text.encode("utf-8", "backslashreplace")
    try:
        if file is None:
            return _write_private(data)
        path = Path(file)
        path.write_bytes(data)
    except OSError as error:
        where = "in a temporary directory" if file is None else file
        raise TfgateError(
            f"The page cannot be written {where}: {error.strerror}.",
            hint="Name another place with --html FILE.",
        ) from None
    return path.absolute()


def _write_private(data: bytes) -> Path:
    handle, name = tempfile.mkstemp(prefix="tfgate-review-", suffix=".html")
    with os.fdopen(handle, "wb") as page:
        page.write(data)
    return Path(name)


def open_in_browser(path: Path) -> bool:
    """Ask the user's browser to show the page; say whether one took it."""
    try:
        return webbrowser.open(path.as_uri())
    except (OSError, webbrowser.Error):
        return False


@click.command(
    epilog="Example: terraform plan -out=p.tfplan && tfgate review p.tfplan -r tfgate:core --open"
)
@click.argument("plan")
@evaluation_options
@click.option("--action", "actions", multiple=True,
              type=click.Choice([action.value for action in Action]),
              help="Show these changes alone. Repeatable, as all filters are.")  # fmt: skip
@click.option("--address", "addresses", multiple=True, metavar="GLOB",
              help="Show changes with such an address alone.")  # fmt: skip
@click.option("--type", "types", multiple=True, metavar="GLOB",
              help="Show changes of such a resource type alone.")  # fmt: skip
@click.option("--module", "modules", multiple=True, metavar="GLOB",
              help="Show changes in such a module alone; root is the root module.")  # fmt: skip
@click.option("--findings-only", is_flag=True, help="Show changes that a rule has found alone.")
@click.option("--full", is_flag=True, help="Fold nothing: long values, what is destroyed.")
@click.option("--html", metavar="FILE",
              help="Write a page with everything in it to FILE (or -) instead.")  # fmt: skip
@click.option("--open", "open_page", is_flag=True,
              help="Show the page in the browser; without --html in a private file.")  # fmt: skip
def review(
    plan: str,
    actions: tuple[str, ...],
    addresses: tuple[str, ...],
    types: tuple[str, ...],
    modules: tuple[str, ...],
    findings_only: bool,
    full: bool,
    html: str | None,
    open_page: bool,
    **options: Any,
) -> int:
    """Show PLAN as a person reads it: changes, what differs, and findings beside them.

    The exit code is that of tfgate check, but nothing is recorded: a review is for reading.
    """
    if html == "-" and open_page:
        raise UsageError("--html - writes to standard output, which no browser can open.")
    request = make_request(plan, **options)
    wanted = ReviewFilter(
        actions=tuple(Action(action) for action in actions),
        addresses=addresses,
        types=types,
        modules=modules,
        findings_only=findings_only,
    )
    result = run_review(request, wanted)
    context = ReportContext(tfgate_version=__version__, now=request.now, **asdict(terminal()))
    if html is None and not open_page:
        write_out(review_text.render(result.review, context, full=full))
    else:
        _page(review_html.render(result.review, context), html, open_page=open_page)
    return int(result.exit_code)


def _page(text: str, file: str | None, *, open_page: bool) -> None:
    """Put the page where it is wanted, and say where that is."""
    if file == "-":
        write_out(text)
        return
    path = write_page(text, file)
    opened = open_page and open_in_browser(path)
    what = "is open in the browser" if opened else "can be opened in a browser"
    write_err(f"The review {what}: {path}")
