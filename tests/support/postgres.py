"""A PostgreSQL server of a test's own, from the system's binaries."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.parts import require_part

if TYPE_CHECKING:
    import trustme


class Postgres:
    """Runs in a folder of its own, on 127.0.0.1. The server refuses to be root's, so it is not."""

    def __init__(self, certificate: trustme.LeafCert | None = None) -> None:
        self._bin = Path(require_part("postgres")).parent
        self.folder = Path(tempfile.mkdtemp(prefix="tfgate-postgres-"))
        self._user = _other_user()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        if self._user is not None:
            entry = pwd.getpwnam(self._user)
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
        self._run("initdb", "-D", str(self._data), "-U", "tfgate", "-A", "trust", "--no-sync")
        self._tls = "" if certificate is None else self._certified(certificate)
        self._start()

    def _certified(self, certificate: trustme.LeafCert) -> str:
        """Return the options of a server with TLS; only its own user can read its key."""
        options = " -c ssl=on"
        for name, data in (
            ("ssl_cert_file", certificate.cert_chain_pems[0]),
            ("ssl_key_file", certificate.private_key_pem),
        ):
            path = self.folder / f"{name}.pem"
            data.write_to_path(str(path))
            path.chmod(0o600)
            if self._user is not None:
                entry = pwd.getpwnam(self._user)
                os.chown(path, entry.pw_uid, entry.pw_gid)
            options += f" -c {name}={path}"
        return options

    def _start(self) -> None:
        options = f"-p {self.port} -h 127.0.0.1 -k {self.folder} -F{self._tls}"
        log = str(self.folder / "log")
        self._run("pg_ctl", "-D", str(self._data), "-o", options, "-l", log, "-w", "start")

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def url(self) -> str:
        """The address of its database."""
        return f"postgresql://tfgate@127.0.0.1:{self.port}/postgres"

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._bin / program), *arguments]
        if self._user is not None:
            command = ["runuser", "-u", self._user, "--", *command]
        subprocess.run(
            command,
            check=True,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            timeout=60,
        )

    def restart(self) -> None:
        """Stop it as a crash would, and start it again."""
        self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "-w", "stop")
        self._start()

    def close(self) -> None:
        """Stop it and remove its folder."""
        try:
            self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "-w", "stop")
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


def documented_table(password: str = "p@ss word") -> str:
    """Return the statements that docs/sinks.md makes the table of a sink with."""
    page = Path(__file__).parents[2] / "docs/sinks.md"
    found = re.search(r"```sql\n(CREATE.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None, "the page has the statements"
    return found[1].replace("PASSWORD '…'", f"PASSWORD '{password}'")


def _other_user() -> str | None:
    """Return a user to run as where the tests are root's."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    raise AssertionError("There is no user that PostgreSQL could run as.")
