"""Folders of any number of faces, the command that ranks them, and what its processes take."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from PIL import Image

SAMPLE = sorted((Path(str(files("emorank.datasets"))) / "sample_faces" / "faces").iterdir())
ONE_THREAD = os.environ | {"OMP_NUM_THREADS": "1"}
_PAGE = os.sysconf("SC_PAGE_SIZE")


def say(words: str) -> None:
    """What is being done, for who waits; results go to standard output."""
    print(f"[{time.strftime('%H:%M:%S')}] {words}", file=sys.stderr, flush=True)


def altered(folder: Path, count: int) -> list[Path]:
    """The sample's faces again and again as JPEG, each different by a pixel."""
    say(f"writing {count:,} faces")
    folder.mkdir()
    paths = []
    for number in range(count):
        with Image.open(SAMPLE[number % len(SAMPLE)]) as face:
            turn = number // len(SAMPLE)
            face.putpixel((turn % face.width, turn // face.width % face.height), (0, 255, 0))
            paths.append(folder / f"{number:07}.jpg")
            face.save(paths[-1], quality=92)
    return paths


def started(given: Path, out: Path, workers: int, *options: str) -> subprocess.Popen[bytes]:
    """`emorank rank GIVEN --out OUT` with one thread for each worker; its words go to OUT.log."""
    command = [sys.executable, "-m", "emorank", "rank", str(given), "--out", str(out)]
    with out.with_suffix(".log").open("ab") as log:
        return subprocess.Popen(
            [*command, "--workers", str(workers), *options], env=ONE_THREAD, stdout=log, stderr=log
        )


def finish(process: subprocess.Popen[bytes], out: Path) -> None:
    """Wait for the command.

    Raises:
        RuntimeError: it failed; with the end of what it said.
    """
    if process.wait():
        words = out.with_suffix(".log").read_text(errors="replace")[-2000:]
        raise RuntimeError(f"{out}: exit status {process.returncode}: {words}")


def seconds(given: Path, out: Path, workers: int, *options: str) -> float:
    """How long the whole command takes, its start included."""
    begun = time.perf_counter()
    finish(started(given, out, workers, *options), out)
    return time.perf_counter() - begun


def children(process: int) -> list[int]:
    """Processes that it has started; those that only look after its memory left out."""
    with suppress(OSError):
        text = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
        return [child for child in map(int, text.split()) if b"spawn_main" in _words(child)]
    return []


def resident(process: int) -> int:
    """Bytes of it that are in memory, 0 if it is gone."""
    with suppress(OSError):
        return int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1]) * _PAGE
    return 0


@dataclass(frozen=True)
class Look:
    """At a running command.

    Attributes:
        shards: that are finished.
        driver: its bytes in memory.
        workers: those of all its workers.
    """

    seconds: float
    shards: int
    driver: int
    workers: int


def looks(process: subprocess.Popen[bytes], finished: Path, every: float) -> Iterator[Look]:
    """Look at a command now and then until it ends; `finished` has a file for each shard."""
    begun = time.perf_counter()
    while process.poll() is None:
        shards = sum(1 for _ in finished.glob("*.parquet")) if finished.is_dir() else 0
        workers = sum(map(resident, children(process.pid)))
        yield Look(time.perf_counter() - begun, shards, resident(process.pid), workers)
        time.sleep(every)


def _words(process: int) -> bytes:
    return Path(f"/proc/{process}/cmdline").read_bytes()
