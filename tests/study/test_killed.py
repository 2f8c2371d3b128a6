"""`kill -9` in each stage, then the same command: the same result as without."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from emorank.study.folder import open_study

pytestmark = [pytest.mark.weights, pytest.mark.slow]

TABLES = ("faces", "excluded", "split", "predictions", "ranks", "votes")
IN_STAGES = [
    {"stage": "prepare", "call": 1},
    {"stage": "prepare", "call": 12},
    {"stage": "train", "call": 1},  # before the first features
    {"stage": "train", "call": 3},  # between the features of two parts
    {"stage": "train", "call": 9},  # in the middle of the epochs
    {"stage": "test", "call": 1},
    {"stage": "explain", "call": 2},  # one batch of maps is there
    {"stage": "explain", "call": 3},
    {"stage": "rank", "call": 1},
    {"stage": "validate", "call": 1},
    {"stage": "validate", "call": 2},
    {"stage": "report", "call": 2},
    {},
]
# An attempt starts with two renames (the plan, the begun stage), so a chain of one number would
# come no further; with growing numbers each attempt breaks off a little later.
AT_RENAMES = [{"rename": number} for number in (1, 2, 3, 4, 5, 6, 7, 5, 6, 7, 8, 9)] + [{}]


@pytest.fixture(scope="module")
def attempts(drawn, votes, settings, new_cache):
    """Make the study that comes of a command killed so, in a cache of its own."""

    def study(folder: Path, kills):
        command = ["run", "--data", drawn, "--out", folder / "study", "--votes", votes]
        command += settings({"train.dropout": 0.5, "explain.batch": 2})
        cache = str(new_cache(folder / "cache"))
        script = Path(__file__).with_name("interrupted.py")
        done = subprocess.run(
            [sys.executable, script, json.dumps(kills), *command],
            env=os.environ | {"EMORANK_CACHE": cache, "OMP_NUM_THREADS": "1"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return open_study(folder / "study"), json.loads(done.stdout)

    return study


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory, attempts):
    """The same command, not killed."""
    found, ends = attempts(tmp_path_factory.mktemp("unbroken"), [{}])
    assert ends == [0]
    return found


def assert_same(one, other):
    """Tables and model equal to the last bit, metrics word for word, and nothing left behind."""
    for name in TABLES:
        pd.testing.assert_frame_equal(one.table(name), other.table(name), check_exact=True)
    assert one.metrics() == other.metrics()
    for name in ("model.safetensors", "relevance/maps/data", "relevance/maps/keys"):
        assert one.path(name).read_bytes() == other.path(name).read_bytes(), name
    curves = [study.table("training").drop(columns="seconds") for study in (one, other)]
    pd.testing.assert_frame_equal(*curves, check_exact=True)
    assert "</html>" in one.path("report/index.html").read_text(encoding="utf-8")


def test_killed_in_each_stage(tmp_path, attempts, unbroken):
    """Twelve kills in seven stages, one after another in one study."""
    found, ends = attempts(tmp_path, IN_STAGES)
    assert ends == [signal.SIGKILL] * (len(IN_STAGES) - 1) + [0]
    assert_same(found, unbroken)


def test_killed_before_files_are_put_in_place(tmp_path, attempts, unbroken):
    """Wherever a kill comes between writing a file and having it, the next attempt goes on."""
    found, ends = attempts(tmp_path, AT_RENAMES)
    assert set(ends[:-1]) <= {signal.SIGKILL, 0}
    assert ends.count(signal.SIGKILL) >= 7
    assert ends[-1] == 0
    assert_same(found, unbroken)
    # What kills left half-written was swept away by the next attempt.
    assert not list(found.folder.glob(".*.partial"))
