"""The Tab key: what is completed, in bash itself, and that nothing heavy is imported for it."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from tests.cli.test_help import HEAVY

from emorank.cli import completions
from emorank.datasets import NAMES
from emorank.reading.ranks import RANKS
from emorank.relevance import PRESETS
from emorank.vocabulary import Emotion

SCRIPT = f"""
import json, os, sys
from emorank.cli import main
for words in json.loads(sys.argv[1]):
    os.environ.update(COMP_WORDS=" ".join(words), COMP_CWORD=str(len(words) - 1))
    try:
        main()
    except SystemExit:
        pass
    print("--")
print(json.dumps([name for name in {HEAVY} if name in sys.modules]))
"""


def test_the_names_are_those_of_the_program():
    """They are written twice because the shell cannot wait for PyTorch."""
    assert list(RANKS) == list(completions.RANKS)
    assert list(PRESETS) == list(completions.PRESETS)
    assert [str(emotion) for emotion in Emotion] == list(completions.EMOTIONS)
    assert tuple(NAMES) == completions.DATASETS


def test_what_is_completed_needs_nothing_heavy():
    """Verbs, options, choices, names, plans and files; without a library of arrays."""
    asked = {
        ("emorank", "ra"): {"plain,rank", "plain,rate"},
        ("emorank", "rate", "su"): {"plain,summary"},
        ("emorank", "rank", "--com"): {"plain,--compounds"},
        ("emorank", "rank", "--crop", "f"): {"plain,face"},
        ("emorank", "rank", "--rank", "pa"): {"plain,paper"},
        ("emorank", "rank", "--emotion", "h"): {"plain,happy"},
        ("emorank", "rank", "pho"): {"file,pho"},
        ("emorank", "explain", "--preset", "epsilon-g"): {"plain,epsilon-gamma-box"},
        ("emorank", "explain", "--device", "c"): {"plain,cpu", "plain,cuda"},
        ("emorank", "data", "inspect", "--dataset", "ck"): {"plain,ckplus"},
        ("emorank", "run", "kd"): {"plain,kdef", "file,kd"},
        ("emorank", "audit", "stu"): {"dir,stu"},
        ("emorank", "rate", "summary", "votes.csv", "--ti"): {"plain,--ties"},
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(list(asked))],
        env=os.environ | {"_EMORANK_COMPLETE": "bash_complete"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    *answers, heavy = done.stdout.split("--\n")
    found = dict(zip(asked, (set(answer.split()) for answer in answers), strict=True))
    assert found == asked
    assert set(json.loads(heavy)) <= {"msgspec"}  # which names the shipped plans in a moment


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash on this machine")
def test_bash_completes(tmp_path):
    """The script that is made is sourced, and asks the program."""
    program = tmp_path / "emorank"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m emorank "$@"\n')
    program.chmod(0o755)
    lines = """
    source <(_EMORANK_COMPLETE=bash_source emorank) || exit 1
    complete -p emorank
    COMP_WORDS=(emorank rank --rank ca) COMP_CWORD=3
    _emorank_completion emorank
    echo "${COMPREPLY[@]}"
    """
    done = subprocess.run(
        ["bash", "--norc", "-c", lines],
        env=os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "complete -o nosort -F _emorank_completion emorank",
        "calibrated",
    ]
