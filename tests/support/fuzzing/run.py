"""One target in a process of its own, for some seconds: what ``scripts/fuzz`` starts."""

from __future__ import annotations

import hashlib
import random
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tests.support.fuzzing.corpus import CORPUS, bytes_of
from tests.support.fuzzing.limits import bounded
from tests.support.fuzzing.mutate import mutate

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_KEPT = 5000
"""Inputs to start from; more of them only make each one rarer."""


class Progress(msgspec.Struct):
    """What has come of a target; kept in a file, since a process may end at any moment."""

    tried: int = 0
    answers: int = 0
    slowest: float = 0.0
    seed: int = 0
    broken: dict[str, str] = {}
    """Kept inputs, by what went wrong where."""

    @classmethod
    def read(cls, work: Path) -> Progress:
        """Read what a process has left."""
        path = work / "progress.json"
        return msgspec.json.decode(path.read_bytes(), type=cls) if path.exists() else cls()

    def write(self, work: Path) -> None:
        """Leave it for the process that asks."""
        (work / "progress.json").write_bytes(msgspec.json.encode(self))

    def sentence(self) -> str:
        """Say it in a line."""
        words = f"{self.tried:,} inputs, {self.answers:,} answers, the slowest {self.slowest:.1f} s"
        return f"{words}, {len(self.broken)} broken (seed {self.seed})"


class Trial:
    """Tries inputs of one target, and notes what came of them."""

    def __init__(self, name: str, seed: int, work: Path, answer: Callable[..., str]) -> None:
        self.name = name
        self.work = work
        self.progress = Progress(seed=seed)
        self._answer = answer
        self._seen: set[str] = set()
        self._folder = work / "files"
        self._folder.mkdir(exist_ok=True)
        self._current = work / "current"

    def __call__(self, data: bytes) -> bool:
        """Try an input, and say whether its answer is a new one."""
        self._current.write_bytes(data)  # for whoever finds this process dead or stuck
        began = time.process_time()
        try:
            with bounded():
                said = self._answer(self.name, data, self._folder)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            said = place(error)
            self._note(said, data)
        self._current.unlink()
        progress = self.progress
        progress.tried += 1
        progress.slowest = max(progress.slowest, time.process_time() - began)
        fresh = said not in self._seen
        self._seen.add(said)
        progress.answers = len(self._seen)
        if fresh or progress.tried % 100 == 0:
            progress.write(self.work)
        return fresh

    def _note(self, said: str, data: bytes) -> None:
        if said not in self.progress.broken:
            path = keep(self.name, data)
            self.progress.broken[said] = path.name
            sys.stdout.write(f"{self.name}: {said}: kept as {path.name}\n")
            sys.stdout.flush()


def keep(name: str, data: bytes) -> Path:
    """Keep an input among those that the tests try."""
    path = CORPUS / name / f"found-{hashlib.sha256(data).hexdigest()[:12]}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def place(error: BaseException) -> str:
    """Name an exception by its type and by where it arose in the program."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "/tfgate/" in frame.filename] or list(frames)
    last = own[-1]
    words = f": {error}" if isinstance(error, AssertionError) else ""
    return f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno} {last.name}{words}"


def run(name: str, engine: str, seconds: int, seed: int, work: Path) -> int:
    """Try inputs for so many seconds; what breaks a promise is kept."""
    if engine == "atheris":
        return _with_atheris(name, seconds, seed, work)
    from tests.support.fuzzing.targets import answer

    _with_mutation(Trial(name, seed, work, answer), seconds, random.Random(seed))
    return 0


def _with_mutation(trial: Trial, seconds: int, chance: random.Random) -> None:
    """Change kept inputs at random; an input with a new answer becomes one to start from."""
    pool = bytes_of(trial.name)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        data = mutate(chance.choice(pool), pool, chance)
        if trial(data) and len(pool) < MOST_KEPT:
            pool.append(data)
    trial.progress.write(trial.work)


def _with_atheris(name: str, seconds: int, seed: int, work: Path) -> int:
    """Let coverage of tfgate's own code lead; half of the changes are those of ``mutate``."""
    import atheris

    others = bytes_of(name)
    inputs = work / "corpus"
    inputs.mkdir()
    with atheris.instrument_imports(include=["tfgate"]):
        from tests.support.fuzzing.targets import answer

        trial = Trial(name, seed, work, answer)
        for number, data in enumerate(others):
            trial(data)  # what is imported when it is needed is imported now, and counted
            (inputs / str(number)).write_bytes(data)

    def one(data: bytes) -> None:
        trial(data)

    def changed(data: bytes, most: int, chosen: int) -> bytes:
        chance = random.Random(chosen)
        if chance.randrange(2):
            return atheris.Mutate(data, most)
        return mutate(data, others, chance)[:most]

    # The time of one input is bounded by the trial: libFuzzer's own alarm would end everything.
    words = [f"-max_total_time={seconds}", "-timeout=0", "-rss_limit_mb=3000", f"-seed={seed}"]
    words += ["-max_len=131072", f"-artifact_prefix={work}/", "-verbosity=0"]
    atheris.Setup([name, *words, str(inputs)], one, custom_mutator=changed)
    atheris.Fuzz()
    return 0
