"""``python -m tfgate.terraform ARGUMENTS…``: the Terraform that tfgate would use, as a program."""

from __future__ import annotations

import os
import sys

from tfgate.errors import TerraformError
from tfgate.terraform.find import find_terraform


def main() -> int:
    """Become that Terraform; come back only where there is none, with the exit code for that."""
    try:
        find_terraform(os.environ).replace_process(sys.argv[1:])
    except TerraformError as error:
        sys.stderr.write(f"{error}\n")
        return int(error.exit_code)


if __name__ == "__main__":
    sys.exit(main())
