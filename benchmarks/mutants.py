"""How many changes to guards and thresholds does no test of the module notice?

python -m benchmarks.mutants src/emorank/evaluation tests/evaluation --sample 60 --seed 1

`mutation.py` says what is changed. The sample is drawn from all mutants of a file or folder. Each
is written into a copy of the source tree, which the processes that a test starts see as well. A
fork in which the libraries are loaded already runs the tests until one fails, first of the files
that name the module; hypothesis draws by one seed, so that the answer comes out again. A survivor
is to be read: some change nothing that anybody could notice.
"""

import argparse
import contextlib
import csv
import importlib
import json
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from scipy.stats import binomtest

from benchmarks.mutation import Mutant, mutants

BASELINE_LIMIT = 1800  # seconds


class Order:
    """A plugin of pytest: the tests of the module first, the slow ones last or not at all."""

    def __init__(self, module: str, slow: list[str]) -> None:
        self.module, self.slow = module, slow

    def near(self, path: Path) -> int:
        """0 for the tests of the module by name, 1 for those that name it, 2 for others."""
        if self.module in path.stem:
            return 0
        return 1 if re.search(rf"\b{self.module}\b", path.read_text(encoding="utf-8")) else 2

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        near = {path: self.near(path) for path in {item.path for item in items}}
        slow = {item: any(word in item.nodeid for word in self.slow) for item in items}
        items[:] = sorted(
            (item for item in items if not slow[item] or near[item.path] < 2),
            key=lambda item: (slow[item], near[item.path]),
        )


@dataclass(frozen=True)
class Bench:
    """The copy of the source tree, and which tests are run against it."""

    root: Path
    folder: Path
    tests: list[str]
    slow: list[str]

    @property
    def copy(self) -> Path:
        """The source tree that the tests import."""
        return self.folder / "src"

    def run(self, module: str, limit: float, *more: str) -> tuple[int | None, str]:
        """Run the tests in a fork; pytest's exit status, None at the time limit, and its output."""
        log = self.folder / "log"

        def work() -> int:
            with log.open("w") as file:
                os.dup2(file.fileno(), 1)
                os.dup2(file.fileno(), 2)
            from hypothesis import Phase, settings

            # An example need not be small, nor be found again by the next mutant's tests.
            phases = [Phase.explicit, Phase.generate]
            settings.register_profile("mutants", deadline=None, database=None, phases=phases)
            options = ["-x", "-q", "--tb=line", f"--basetemp={self.folder / 'pytest'}"]
            options += ["--hypothesis-profile=mutants", "--hypothesis-seed=1"]
            for plugin in ("randomly", "xdist", "cacheprovider"):
                options += ["-p", f"no:{plugin}"]
            code = pytest.main([*options, *more, *self.tests], [Order(module, self.slow)])
            _write_loaded(self.folder / "loaded.json")
            return int(code)

        code = forked(work, limit)
        return code, log.read_text(errors="replace")

    def check(self) -> float:
        """Load what the tests load, run them without a mutant; returns the seconds they take."""
        code, said = self.run("", BASELINE_LIMIT, "--collect-only")
        loaded = json.loads((self.folder / "loaded.json").read_text()) if not code else {}
        if not Path(loaded.get("emorank", "")).is_relative_to(self.copy):
            sys.exit(f"the tests do not import emorank from the copy: {loaded}\n{said}")
        for name, file in loaded.items():
            if "site-packages" in file:
                with contextlib.suppress(Exception):  # then each fork does it, or what it did
                    importlib.import_module(name)
        start = time.monotonic()
        code, said = self.run("", BASELINE_LIMIT)
        if code != 0:
            sys.exit(f"the tests do not pass without a mutant:\n{said}")
        return time.monotonic() - start

    def noticed(self, mutant: Mutant, limit: float) -> str:
        """Which test notices the mutant; empty if none does."""
        place = self.copy / mutant.path.resolve().relative_to(self.root)
        for compiled in (place.parent / "__pycache__").glob(f"{place.stem}.*"):
            compiled.unlink()
        name = place.parent.name if place.stem == "__init__" else place.stem
        place.write_bytes(mutant.source())
        try:
            code, said = self.run(name, limit)
        finally:
            place.write_bytes(mutant.path.read_bytes())
        if code == 0:
            return ""
        failed = re.search(r"^(?:FAILED|ERROR) (\S+)", said, re.MULTILINE)
        return failed[1] if failed else "time limit" if code is None else f"pytest says {code}"


def forked(work: Callable[[], int], limit: float) -> int | None:
    """The exit status of a function in a process of its own; None if it takes too long."""
    pid = os.fork()
    if not pid:
        code = 70
        try:
            os.setsid()
            code = work()
        finally:
            os._exit(code)
    end = time.monotonic() + limit
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None


def _write_loaded(path: Path) -> None:
    files = {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}
    path.write_text(json.dumps({name: file for name, file in files.items() if file}))


def package_root(path: Path) -> Path:
    """The folder that the package of a file or folder is imported from."""
    above = path.resolve().parents
    return next(folder for folder in above if not (folder / "__init__.py").exists())


def sampled(source: Path, size: int | None, seed: int) -> tuple[list[Mutant], int]:
    """The mutants to try, in the order of the source, and how many there are."""
    files = [source] if source.is_file() else sorted(source.rglob("*.py"))
    every = [mutant for path in files for mutant in mutants(path)]
    draw = random.Random(seed)  # noqa: S311 - no secret
    drawn = draw.sample(range(len(every)), min(size or len(every), len(every)))
    return [every[number] for number in sorted(drawn)], len(every)


def tried(chosen: list[Mutant], bench: Bench, limit: float) -> list[tuple[Mutant, str]]:
    """Each mutant with the test that notices it, empty if none does; says how far it is."""
    # A change within the second that keeps the length is not seen by a compiled file.
    sys.dont_write_bytecode, os.environ["PYTHONDONTWRITEBYTECODE"] = True, "1"
    outcomes: list[tuple[Mutant, str]] = []
    for mutant in chosen:
        outcomes.append((mutant, bench.noticed(mutant, limit)))
        if len(outcomes) % 10 == 0:
            survived = sum(not test for _, test in outcomes)
            print(f"{len(outcomes)} tried, {survived} survived", flush=True)
    return outcomes


def write(outcomes: list[tuple[Mutant, str]], path: Path) -> None:
    """A CSV file with a row for each mutant that was tried."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["file", "line", "before", "after", "noticed by"])
        for mutant, test in outcomes:
            rows.writerow([mutant.path, mutant.line, mutant.before, mutant.after, test])


def summary(outcomes: list[tuple[Mutant, str]]) -> str:
    """The survivors, and their share with its interval."""
    lines = [str(mutant) for mutant, test in outcomes if not test]
    survived, count = len(lines), len(outcomes)
    interval = binomtest(survived, count).proportion_ci(method="wilson")
    share, low, high = (100 * part for part in (survived / count, interval.low, interval.high))
    spread = f"{share:.0f} %, 95 % Wilson interval {low:.0f} to {high:.0f} %"
    return "\n".join([*lines, f"survived {survived} of {count} ({spread})"])


def main() -> str:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path, help="a file or a folder of the package")
    parser.add_argument("tests", nargs="+", help="the tests that should notice")
    parser.add_argument("--sample", type=int, help="how many mutants; all without it")
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    parser.add_argument("--limit", type=float, default=120, help="seconds; longer is noticed")
    parser.add_argument("--out", type=Path, help="a CSV file of all mutants that were tried")
    slow = "tests with it in their id come last, and only if their file names the module"
    parser.add_argument("--slow", action="append", default=[], metavar="WORD", help=slow)
    asked = parser.parse_args()
    chosen, count = sampled(asked.source, asked.sample, asked.seed)
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        bench = Bench(package_root(asked.source), Path(folder), asked.tests, asked.slow)
        shutil.copytree(bench.root, bench.copy)
        sys.path.insert(0, str(bench.copy))
        os.environ["PYTHONPATH"] = str(bench.copy)
        seconds = bench.check()
        print(f"{count} mutants, {len(chosen)} tried; the tests take {seconds:.0f} s", flush=True)
        outcomes = tried(chosen, bench, asked.limit)
    if asked.out:
        write(outcomes, asked.out)
    return summary(outcomes)


if __name__ == "__main__":
    print(main())
