"""Modules that are put off until they are used."""

from __future__ import annotations

import inspect
import platform
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from tfgate.cli.later import cleandoc


def _run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_module_is_loaded_when_something_of_it_is_asked_for() -> None:
    """What stands in for a module behaves as the module from then on."""
    code = (
        "import sys; from tfgate.cli.later import put_off; put_off('ipaddress'); import ipaddress;"
        "before = 'ip_address' in vars(ipaddress); made = str(ipaddress.ip_address('10.0.0.1'));"
        "import importlib; real = importlib.import_module('ipaddress');"
        "print(before, made, real.ip_address is ipaddress.ip_address, hasattr(ipaddress, 'no'))"
    )
    assert _run(code) == "False 10.0.0.1 True False"


def test_names_imported_from_it_are_the_real_ones() -> None:
    """``from module import name`` works, submodules of packages included."""
    code = (
        "import tfgate.cli; from textwrap import dedent; from jmespath import functions, search;"
        "from inspect import signature;"
        "print(dedent('  a'), search('length(@)', [1, 2]), functions.Functions.__name__,"
        " signature(dedent))"
    )
    assert _run(code) == "a 2 Functions (text)"


def test_a_check_needs_none_of_them() -> None:
    """The command line and a module of a check load without what is put off."""
    code = (
        "import sys; sys.modules['typing_extensions'] = None;"  # which imports inspect, where it is
        "import tfgate.cli.main, tfgate.command.check, tfgate.gate.check;"
        "print([name for name in ('ast', 'dis', 'subprocess', 'tempfile') if name in sys.modules])"
    )
    assert _run(code) == "[]"


def test_a_text_of_several_lines_is_cleaned_by_the_module_itself() -> None:
    """What is known of a module gives way to the module."""
    code = (
        "import tfgate.cli, inspect; print(inspect.cleandoc('a\\n  b'), '|',"
        " inspect.cleandoc.__module__, inspect.cleandoc(' c'))"
    )
    assert _run(code).split() == ["a", "b", "|", "inspect", "c"]


def test_what_is_known_of_a_module_is_what_the_module_says() -> None:
    """The system has the name that ``platform`` gives it, before and after it is loaded."""
    code = (
        "import tfgate.cli, platform; first = platform.system(); platform.machine();"
        "print(first == platform.system() == __import__('os').uname().sysname,"
        " platform.system.__module__)"
    )
    loaded = "platform" if sys.platform == "linux" else platform.system.__module__
    assert _run(code) == f"True {loaded}"


def test_a_module_that_is_there_stays_what_it_is() -> None:
    """Nothing is replaced that somebody has."""
    code = (
        "import textwrap; from tfgate.cli.later import put_off; put_off('textwrap');"
        "import sys; print(sys.modules['textwrap'] is textwrap, type(textwrap).__name__)"
    )
    assert _run(code) == "True module"


@given(st.text(alphabet=st.sampled_from(" \t\n\rab\u00a0\u2028\x1f"), max_size=12) | st.text())
def test_help_texts_are_cleaned_as_inspect_cleans_them(text: str) -> None:
    """The short way for one line gives what the standard library's gives."""
    assert cleandoc(text) == inspect.cleandoc(text)
