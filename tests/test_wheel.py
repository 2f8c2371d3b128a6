"""The built wheel in a fresh environment and an empty folder: the examples of the help run there.

Nothing but the wheel is installed (`wheels.py`).
"""

import json
import os
import re
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from tests.wheels import tracked

from emorank.cli import emorank as command_line
from emorank.study.shipped_plans import shipped_plans

ROOT = Path(__file__).parent.parent
DRIVER = Path(__file__).with_name("run_examples.py")
# Small: the examples are asked whether they run, and not how good the networks are.
QUICK = [
    f"--set '{setting}'"
    for setting in (
        'data.emotions=["fear", "happy", "neutral", "surprise"]',
        *("data.crop=none", "train.backbone=expression", "train.views=1", "train.unfreeze=none"),
        *("train.epochs=6", "train.learning_rate=0.001"),
        *("validate.resamples=100", "report.examples=0"),
    )
]
FEW = {"audit": ["--faces", "4"]}
KDEF = [
    "emorank run --out kdef",
    "rm -r ratings",
    "emorank rate new ~/KDEF_and_AKDEF --raters 3 --out ratings",
    "votes kdef",
    "emorank rate import ratings votes.csv",
]
MINE = ["rm -r ratings", "emorank rate new my_faces --raters 10 --out ratings"]
# What has to be there before the examples of a verb, or before one of them.
BEFORE = {
    "test": ["emorank run --out demo", "emorank run --out kdef"],
    "explain": ["votes kdef", "emorank train --ordinal --study kdef --votes votes.csv"],
    "validate": KDEF,
    "calibrate": KDEF,
    "rate new": ["rm -r ratings"],
    "rate status": [*MINE, "votes mine", "emorank rate import ratings votes.csv"],
    "rate import": MINE,
}
# These take minutes even on few faces, or do not end by themselves; they have tests of their own.
# Photographs that are not part of the project; rendered faces stand in for them.
LONDON = ROOT.parent / "shared" / "data" / "london_faces"
LEFT_OUT = {"compare", "faithfulness", "rate serve"}


def fresh(python: Path, *arguments: object, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run a Python of its own in a folder, which is its home too."""
    names = ("PATH", "EMORANK_CACHE", "LANG", "TMPDIR")
    environment = {name: os.environ[name] for name in names if name in os.environ}
    environment |= {"HOME": str(folder), "COLUMNS": "100", "OMP_NUM_THREADS": "1"}
    command = [str(word) for word in (python, *arguments)]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_the_wheel_has_every_file_of_the_package(wheel):
    """Plans, faces, templates, scripts and styles beside the code; no more than these."""
    with zipfile.ZipFile(wheel) as archive:
        inside = {name for name in archive.namelist() if name.startswith("emorank/")}
    assert inside == tracked(ROOT / "src")
    assert {f"emorank/study/plans/{name}.toml" for name in shipped_plans()} < inside


def examples(command: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Each verb and its example lines, in the order of the help."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            verb = command.get_command(context, name)
            assert verb is not None
            yield from examples(verb, (*words, name))
        return
    text = (command.help or "").partition("Example")[2]
    for line in re.findall(r"^ *((?:emorank|cp) .*)$", text, flags=re.MULTILINE):
        yield " ".join(words), line


def steps() -> Iterator[str]:
    """What is run, line after line."""
    before = ""
    for verb, line in examples(command_line):
        if verb in LEFT_OUT:
            continue
        if verb != before or verb == "rate new":
            yield from BEFORE.get(verb, ())
        before = verb
        yield from _inputs(line)
        small = verb in ("run", "prepare") or "--set train" in line
        tiny = ["--size", "64"] if ".pth" in line and verb == "explain" else []
        yield " ".join([line, *(QUICK if small else FEW.get(verb, ())), *tiny])


def tutorial() -> Iterator[str]:
    """What docs/tutorial.md tells to type, on eight of its persons."""
    yield f"london {LONDON if LONDON.is_dir() else ''}"
    page = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    for language, text in re.findall(r"^```(\w*)\n(.*?)^```$", page, re.DOTALL | re.MULTILINE):
        if language == "python":
            yield f"python\n{text}"
        for line in text.splitlines():
            if line.startswith(("emorank ", "unzip ", "mkdir ", "mv ")):
                yield " ".join([line, *FEW.get(line.split()[1], ())])


def _inputs(line: str) -> Iterator[str]:
    """The lines that write the votes, or the export, of the images that a line is about."""
    about = next(
        (name for name in ("kdef", "my_faces", "demo") if name in line.partition("--out")[0]),
        "mine",
    )
    study = "mine" if about == "my_faces" else about
    if "votes.csv" in line and "export" not in line:
        yield f"votes {study}"
    if "calibrate" in line and "ready_on_mine" in line:  # its plan names votes.csv
        yield "votes mine"
    if "others.csv" in line:
        yield f"scores {study}"
    if "export.json" in line:
        yield f"export {study} {'Low Medium High' if '--map' in line else ''}"


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.timeout(900)
def test_the_examples_of_the_help_run(python, tmp_path):
    """Every one, and the tutorial, with small files for what is the user's.

    In one process, so that torch loads once.
    """
    (tmp_path / "steps.json").write_text(json.dumps([*steps(), *tutorial()]))
    done = fresh(python, DRIVER, "steps.json", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert (tmp_path / "figure.pdf").read_bytes().startswith(b"%PDF")
