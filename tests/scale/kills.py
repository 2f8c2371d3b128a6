"""A command that is killed at random times, it or its workers, and given again and again."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path


def kill_at_random(command, folder, kills, seed=7):
    """Give a command that works in a run's folder, so often that half the kills are its workers'.

    The command itself is killed in the end, however it went on.
    """
    dice = random.Random(seed)  # noqa: S311 - times of kills
    for kill in range(kills):
        run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _wait_for_steps(folder, run, dice.randint(1, 20))
        if run.poll() is None:
            os.kill(run.pid if kill % 2 else dice.choice(_children(run.pid)), signal.SIGKILL)
        if kill % 2 == 0:
            _wait_for_steps(folder, run, 5)
            run.kill()
        run.wait()


def _wait_for_steps(folder, run, steps):
    """Until so many more images are kept, or the run has ended."""
    first = _kept(folder)
    while run.poll() is None and _kept(folder) < first + steps:
        time.sleep(0.02)


def _kept(folder):
    lines = sum(
        path.read_bytes().count(b"\n") - 1
        for path in folder.path.glob("unfinished/*.jsonl")
        if path.exists()
    )
    return lines + 32 * len(list(folder.path.glob("finished/*.parquet")))


def _children(parent):
    listed = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    return [int(word) for word in listed.split()] or [parent]
