"""How real processes end, and that the documentation says so."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from emorank.cli.exit_codes import ExitCode

ROOT = Path(__file__).parent.parent.parent
PROGRAM = (sys.executable, "-m", "emorank")


def test_the_codes_are_documented():
    """docs/command_line.md has a row for each, in order, and for no other."""
    page = (ROOT / "docs" / "command_line.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \|", page, flags=re.MULTILINE)
    assert [int(code) for code in rows] == list(ExitCode)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--version"], 0, ""),
        (["card", "nowhere"], 1, "Error: nowhere"),
        (["rank"], 2, "expected IMAGES"),
        (["rnak"], 2, "did you mean 'rank'"),
    ],
)
def test_an_end_of_its_own(tmp_path, arguments, code, says):
    """Done, failed, and wrong usage."""
    done = subprocess.run([*PROGRAM, *arguments], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False)
    assert says in done.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_it_is_stopped_from_outside(number, code):
    """By Ctrl-C and by a scheduler, in order and with one sentence."""
    with subprocess.Popen(
        [*PROGRAM, "-v", "rank", "-"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert "rank -" in process.stderr.readline()  # now it waits for names
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, "")
    assert err.strip() == "Error: stopped; the same command goes on from here"


def test_a_reader_is_gone():
    """Where click writes; `test_main.py` has the same of rich."""
    with subprocess.Popen(
        [*PROGRAM, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.close()
        err = process.stderr.read()
    assert (process.returncode, err) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a full disk for tests")
def test_the_output_is_full():
    """One line says so, and Python at its end no other."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*PROGRAM, "--help"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert done.stderr == "Error: No space left on device; nothing half-written was left\n"


def test_standard_output_is_closed():
    """A shell may close it (`>&-`); that is no error."""
    line = f'exec "{sys.executable}" -m emorank --version >&-'
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
