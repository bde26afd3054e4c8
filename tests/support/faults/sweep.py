"""Every fault that can come to a command, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.support.faults.invariants import Before, broken, look, records
from tests.support.faults.run import NONE, Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.faults.run import Ran, Runner
    from tests.support.faults.scenarios import Scenario

ERRORS = ("ENOSPC", "EIO", "EINTR", "EACCES")
ASKED = ("open", "write", "fsync", "rename", "exec", "connect")
"""Classes that get every error, each alone."""
ALSO = {
    "truncate": ("EIO",), "mkdir": ("ENOSPC", "EACCES"), "chmod": ("EIO", "EACCES"),
    "remove": ("EIO", "EACCES"), "lock": ("EIO", "ENOLCK"), "stat": ("EIO", "EACCES"),
    "read": ("EIO",), "stdout": ("ENOSPC", "EPIPE"), "stderr": ("ENOSPC",), "send": ("EPIPE",),
}  # fmt: skip
FOR_GOOD = {"open": "EACCES", "write": "ENOSPC", "fsync": "EIO", "rename": "EIO", "stdout": "EPIPE",
            "mkdir": "ENOSPC", "remove": "EACCES", "exec": "EACCES", "connect": "ECONNREFUSED",
            "read": "EIO", "stat": "EACCES", "lock": "ENOLCK", "stderr": "EPIPE"}  # fmt: skip
DEADLY = ("open", "write", "fsync", "rename", "truncate", "remove", "mkdir")
_STRIDE = 4
"""Of calls that only look, and of those where a file is opened and all is over, every so many."""


class Broken(NamedTuple):
    """A promise that was broken."""

    scenario: str
    fault: Fault
    what: str
    ran: Ran


def kinds_of_fault() -> Iterator[Fault]:
    """Yield each way in which a class can fail, at no call in particular."""
    for kind in ASKED:
        yield from (Fault(kind, 0, "once", error) for error in ERRORS)
    for kind, errors in ALSO.items():
        yield from (Fault(kind, 0, "once", error) for error in errors)
    yield from (Fault(kind, 0, "ever", error) for kind, error in FOR_GOOD.items())
    yield Fault("write", 0, "short", "ENOSPC")
    for kind in DEADLY:
        yield Fault(kind, 0, "before")
        yield Fault(kind, 0, "after")


def _is_due(sort: Fault, number: int) -> bool:
    """Of the errors of a single ``open``, of which there are many, take two in turn."""
    if sort.kind != "open" or sort.how != "once":
        return True
    return (ERRORS.index(sort.error) + number) % 2 == 0


class Sweep:
    """The faults of one scenario after another."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self.runs = 0
        self.came = 0
        """Runs in which the fault was reached."""
        self.killed = 0

    def baseline(self, scenario: Scenario) -> Before:
        """Run it without a fault."""
        box = self._runner.fresh(scenario)
        files, count = look(box), len(records(box, scenario))
        ran = self._runner.run(box, scenario)
        assert ran.code == scenario.code, (scenario.name, ran.code, ran.out, ran.err)
        new = records(box, scenario)[count:]
        decision = next((one for one in new if one["event"] in ("decision", "command")), None)
        before = Before(files, count, ran, decision)
        found = broken(box, scenario, NONE, ran, before)
        assert not found, (scenario.name, found, ran)
        return before

    def faults(self, before: Before, every: int = 1) -> Iterator[Fault]:
        """Yield the faults that a command can meet; every so many of them."""
        assert before.ran is not None
        position = 0
        for sort in kinds_of_fault():
            for number in self._numbers(sort, before.ran):
                position += 1
                if position % every == 0 and _is_due(sort, number):
                    yield sort._replace(number=number)

    def _numbers(self, sort: Fault, ran: Ran) -> Iterator[int]:
        count = ran.count(sort.kind)
        # After a fault there may be calls that were not there without it: two more.
        for number in range(1, count + 3 if count else 1):
            looks = sort.kind in ("stat", "read") or (sort.kind == "open" and sort.how != "once")
            if not looks or number % _STRIDE == 1:
                yield number

    def one(self, scenario: Scenario, fault: Fault, before: Before) -> Iterator[Broken]:
        """Run it with a fault; what was killed is run once more, without one."""
        box = self._runner.fresh(scenario)
        ran = self._runner.run(box, scenario, fault)
        self.runs += 1
        self.came += ran.reached(fault)
        self.killed += ran.code == -9
        if not ran.reached(fault):
            return
        for what in broken(box, scenario, fault, ran, before):
            yield Broken(scenario.name, fault, what, ran)
        if fault.kills:
            for name in ("ran", "at-apply"):
                (box.root / name).unlink(missing_ok=True)
            now = Before(look(box), len(records(box, scenario)))
            again = self._runner.run(box, scenario)
            for what in broken(box, scenario, NONE, again, now):
                yield Broken(scenario.name, fault, f"the next run: {what}", again)
