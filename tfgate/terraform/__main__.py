"""``python -m tfgate.terraform ARGS…``: run whichever Terraform tfgate would use."""

from __future__ import annotations

import os
import sys

from tfgate.errors import TerraformError
from tfgate.terraform.find import find_terraform


def main() -> int:
    """Become Terraform; an exit code only where there is none to become."""
    try:
        find_terraform(os.environ).replace_process(sys.argv[1:])
    except TerraformError as error:
        print(f"tfgate: {error}", file=sys.stderr)  # noqa: T201 - a program of its own
        return int(error.exit_code)


if __name__ == "__main__":
    sys.exit(main())
