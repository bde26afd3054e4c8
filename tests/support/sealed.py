"""Run a program that the kernel ends as soon as it, or what it starts, opens a network socket.

``python tests/support/sealed.py PROGRAM ARGUMENTS…``. A seccomp filter, which needs no rights and
cannot be taken off: ``socket(2)`` of any family but AF_UNIX ends the process with SIGSYS.
"""

from __future__ import annotations

import ctypes
import os
import platform
import socket
import sys

ARCHITECTURES = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
"""``AUDIT_ARCH_…`` and the number of ``socket`` there (linux/audit.h, asm/unistd.h)."""
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
KILL, ALLOW = 0x80000000, 0x7FFF0000
LOAD, EQUAL, ANSWER = 0x20, 0x15, 0x06
NUMBER, ARCHITECTURE, FIRST = 0, 4, 16
"""Where ``struct seccomp_data`` has the call's number, the architecture, the first argument."""


class Instruction(ctypes.Structure):
    """``struct sock_filter``."""

    _fields_ = (
        ("code", ctypes.c_ushort),
        ("then", ctypes.c_ubyte),
        ("otherwise", ctypes.c_ubyte),
        ("value", ctypes.c_uint),
    )


class Program(ctypes.Structure):
    """``struct sock_fprog``."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.POINTER(Instruction)))


def seal() -> None:
    """Take the network from this process and all that it starts. Raises ``OSError``."""
    architecture, call = ARCHITECTURES[platform.machine()]
    lines = [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 0, 5, architecture),  # another architecture's calls would pass by their numbers
        (LOAD, 0, 0, NUMBER),
        (EQUAL, 0, 2, call),
        (LOAD, 0, 0, FIRST),
        (EQUAL, 0, 1, socket.AF_UNIX),
        (ANSWER, 0, 0, ALLOW),
        (ANSWER, 0, 0, KILL),
    ]
    program = Program(len(lines), (Instruction * len(lines))(*(Instruction(*one) for one in lines)))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in (
        (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0),
    ):
        if libc.prctl(*arguments):
            raise OSError(ctypes.get_errno(), "prctl")


if __name__ == "__main__":
    seal()
    os.execvp(sys.argv[1], sys.argv[1:])
