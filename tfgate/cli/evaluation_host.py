"""The program that evaluates plans for the server, with the page of a review beside each.

Here the two features meet; neither knows the other. The server starts it as
``python -m tfgate.cli.evaluation_host DESCRIPTOR`` (see `tfgate.server.evaluation_host`).
"""

from __future__ import annotations

import os
import sys

from tfgate.review.html import render_plan
from tfgate.server.evaluation_host import run_host

if __name__ == "__main__":
    os.chdir("/")
    os._exit(run_host(int(sys.argv[1]), render_plan))
