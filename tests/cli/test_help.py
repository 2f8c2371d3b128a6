"""The command line's help: quick to come, with an example for every verb."""

import json
import subprocess
import sys

import pytest

from emorank import __version__
from emorank.cli import VERBS
from emorank.cli.rate import VERBS as RATE_VERBS

HEAVY = (
    "torch", "numpy", "pandas", "matplotlib", "rich", "cv2", "PIL", "scipy", "sklearn",
    "pyarrow", "onnxruntime", "jinja2", "msgspec",
)  # fmt: skip
SCRIPT = f"""
import json, sys
from emorank.cli import main
sys.argv = ["emorank", *sys.argv[1:]]
try:
    main()
except SystemExit:
    pass
print(json.dumps([name for name in {HEAVY} if name in sys.modules]), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["run", "--help"],
        ["rank", "--help"],
        ["rate", "--help"],
        ["rate", "summary", "-h"],
    ],
)
def test_help_imports_nothing_heavy(arguments):
    """So it comes at once: no library of arrays or pictures is needed to list or explain verbs."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stderr.splitlines()[-1]) == []
    assert "Usage: emorank" in done.stdout


def test_the_verbs_are_listed_in_the_order_of_a_study(cli):
    """All of them, each with a line that says what it does."""
    out = cli("--help").out
    listed = [
        line.split()[0] for line in out.partition("Commands:")[2].splitlines() if line[:2] == "  "
    ]
    assert [word for word in listed if word in VERBS] == list(VERBS)


@pytest.mark.parametrize(
    "verb",
    [*([verb] for verb in VERBS), ["data", "inspect"]]
    + [["weights", verb] for verb in ("list", "get", "path")]
    + [["rate", verb] for verb in RATE_VERBS],
    ids=" ".join,
)
def test_every_verb_has_an_example(cli, verb):
    """An example that begins with the verb itself, on a line of its own."""
    done = cli(*verb, "--help")
    assert done.code == 0
    lines = [line.strip() for line in done.out.splitlines()]
    assert "Example:" in lines or "Examples:" in lines
    called = f"emorank {' '.join(verb)}"
    assert any(called in line and line.startswith(("emorank", "cp")) for line in lines)


def test_the_short_option_works_too(cli):
    """-h is --help."""
    assert cli("rank", "-h").out == cli("rank", "--help").out


def test_the_version_is_told(cli):
    """`emorank --version` names program and version."""
    assert cli("--version").out == f"emorank, version {__version__}\n"


def test_no_verb_shows_the_help(cli):
    """`emorank` alone is a question, not an error with a traceback."""
    done = cli()
    assert done.code == 2
    assert "Usage: " in done.out + done.err
    assert "Commands:" in done.out + done.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["foobar"], "No such verb 'foobar'; expected one of run, prepare"),
        (["rnak"], "No such verb 'rnak'; did you mean 'rank'"),
        (["rate", "sumary"], "No such verb 'sumary'; did you mean 'summary'?"),
        (["data", "inspct"], "Did you mean 'inspect'?"),
        (["rank", "--stduy", "x"], "'--study'"),
        (["run"], "Missing option '--out'"),
        (["rank"], "expected IMAGES, or --study DIR"),
        (["rank", "--study", "x", "--device", "cuda"], "--device goes with IMAGES"),
        (["explain", "--study", "x", "--device", "cuda"], "--device goes with IMAGES"),
        (["train"], "Missing option '--study'"),
        (["run", "--out", "x", "--crop", "round"], "'round' is not one of"),
        (["rank", "--study", "x", "--out", "ranks.csv"], "go with IMAGES"),
        (["test", "--study", "x", "--data", "faces"], "No such option"),
        (["rank", "a.jpg", "--study", "x", "--out", "ranks.xls"], "ending in .csv or .parquet"),
    ],
)
def test_wrong_usage_is_told_apart_from_failure(cli, arguments, says):
    """Exit status 2 and the reason, as is the custom."""
    done = cli(*arguments)
    assert done.code == 2
    assert says in done.err
    assert "Traceback" not in done.err
