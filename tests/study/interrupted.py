"""Runs a command again and again, killing it at given places: `interrupted.py KILLS COMMAND…`.

KILLS is a JSON list. {"stage": "train", "call": 3} kills (SIGKILL, as kill -9 does) when the stage
tells its progress for the third time; {"rename": 5} kills just before the fifth file of the process
is put in its place; {} lets the command run to its end. FOLDER in the command stands for the
"folder" of each kill. Attempts are forks of one process that has
imported everything, because importing takes longer than the study. Prints a JSON list: the number
of the signal that ended each attempt, or 0 less its exit status.
"""

import json
import os
import signal
import sys

from emorank.cli import main, progress_bars
from emorank.study import run  # noqa: F401 - imported once, before the forks
from emorank.study.stages import report  # noqa: F401 - likewise


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def kill_in_stage(stage, call):
    start = progress_bars.ProgressBars.start

    def counting(self, name):
        progress, calls = start(self, name), []

        def told(done, total, note=""):
            calls.append(done)
            if name == stage and len(calls) == call:
                die()
            progress(done, total, note)

        return told

    progress_bars.ProgressBars.start = counting


def kill_at_rename(number):
    seen = []

    def hook(event, arguments):
        if event == "os.rename":
            seen.append(arguments)
            if len(seen) == number:
                die()

    sys.addaudithook(hook)


def attempt(kill, command):
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if "stage" in kill:
        kill_in_stage(**kill)
    elif "rename" in kill:
        kill_at_rename(kill["rename"])
    sys.argv = ["emorank", *(kill.get("folder") if word == "FOLDER" else word for word in command)]
    os.dup2(2, 1)
    try:
        main()
    except SystemExit as stop:
        os._exit(stop.code or 0)
    os._exit(0)


if __name__ == "__main__":
    kills, command = json.loads(sys.argv[1]), sys.argv[2:]
    sys.stdout.write(json.dumps([-attempt(kill, command) for kill in kills]) + "\n")
