"""``python -m tfgate`` and the ``tfgate`` command."""

from __future__ import annotations

import sys

from tfgate.cli.main import main


def run() -> None:
    """Run the command line and leave the process with its exit code."""
    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    run()
