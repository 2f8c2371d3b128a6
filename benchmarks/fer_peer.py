"""`fer` on some pictures, by a Python of its own that has it."""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from benchmarks.many_faces import say

_PROGRAM = """
import json, os, sys, time
one_core, files, paths = json.load(sys.stdin)
if one_core:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
import cv2, fer
from fer.fer import FER
if one_core:
    cv2.setNumThreads(1)
given = paths if files else [cv2.imread(path) for path in paths]
CASCADE = "haarcascade_frontalface_default.xml"
cascade = os.path.join(os.path.dirname(fer.__file__), "data", CASCADE)
detector = FER(cascade_file=cascade, mtcnn=False)
detector.detect_emotions(cv2.imread(paths[0]))
begun = time.perf_counter()
found = sum(bool(detector.detect_emotions(cv2.imread(one) if files else one)) for one in given)
print("result", found, time.perf_counter() - begun)
"""
_ONE_THREAD = {
    "OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"
}  # fmt: skip


def read_by_fer(
    python: str | None, paths: Sequence[Path], what: str, *, one_core: bool, files: bool
) -> str:
    """How many pictures a second `fer` reads, with its own cascade and its own network.

    `what` begins the sentence; `files`: they are read from the disk while the time runs.
    """
    if python is None:
        return "No peer was run: --peer PYTHON names one that has `fer`."
    say(f"fer, {len(paths)} pictures, {'one core' if one_core else 'all cores'}")
    done = subprocess.run(
        [python, "-c", _PROGRAM],
        input=json.dumps([one_core, files, [str(path) for path in paths]]),
        capture_output=True, text=True, check=False,
        env=os.environ | (_ONE_THREAD if one_core else {}),
    )  # fmt: skip
    results = [line.split() for line in done.stdout.splitlines() if line.startswith("result ")]
    if not results:
        return f"The peer did not run: {done.stderr.strip().splitlines()[-1:]}"
    _, found, took = results[0]
    return (
        f"{what}: {len(paths) / float(took):.1f} a second; it found a face in {found} of "
        f"{len(paths)}."
    )
