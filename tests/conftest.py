"""Drawn faces, a quick plan, a finished study, and a cache that is not the user's own."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import runtime_checkable

import numpy as np
import pytest
from filelock import FileLock
from hypothesis import settings
from jaxtyping import install_import_hook
from PIL import Image, ImageDraw

from emorank.progress import Progress

# How long an example takes says something about the machine and nothing about the code.
settings.register_profile("no clock", deadline=None)
settings.load_profile("no clock")

# Shapes and dtypes in annotations are checked while the tests run, where arrays are worked on. The
# command line is left out: its annotations name classes that are imported for mypy only.
CHECKED = (
    *("faces", "images", "networks", "ranking"),
    # The others take a Rule, a protocol that cannot be asked for at run time.
    *(
        f"relevance.{name}"
        for name in ("division", "folding", "graph", "joins", "pooling", "steps")
    ),
)
runtime_checkable(Progress)  # beartype asks every argument what it is
install_import_hook([f"emorank.{name}" for name in CHECKED], "beartype.beartype")

from tests.rooms import (  # noqa: E402, F401 - fixtures
    database,
    make_room,
    postgresql,
    room,
    serve,
)
from tests.wheels import python, unpacked, wheel  # noqa: E402, F401 - fixtures

from emorank.networks import weights  # noqa: E402 - the hook has to come first

IMAGENET = weights.imagenet_path()
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync")
EMOTIONS = ("anger", "happy", "surprise")
# Each takes minutes: begun last, it would leave the other processes idle.
LONGEST = ("test_the_examples_of_the_help_run", "test_two_thousand_keyboard_votes")
PERSONS = tuple(f"p{number}" for number in range(8))
QUICK = {
    "data.size": 64,
    "data.crop": "none",
    "train.hidden": 32,
    "train.epochs": 6,
    "train.learning_rate": 0.001,
    "train.dropout": 0.0,
    "validate.resamples": 100,
}


def pytest_collection_modifyitems(items):
    """The longest tests first, then slow ones; skip what needs the weights without them."""
    items.sort(
        key=lambda item: (
            item.originalname not in LONGEST,
            item.get_closest_marker("slow") is None,
        )
    )
    if IMAGENET.exists():
        return
    skip = pytest.mark.skip(reason=f"no ImageNet weights ({IMAGENET}): emorank weights get")
    for item in items:
        if item.get_closest_marker("weights"):
            item.add_marker(skip)


def program(*names: str, package: str) -> str:
    """Where a program of the system is; the test skips without it, or fails where all must run."""
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        if os.environ.get("EMORANK_REQUIRE_ALL"):
            pytest.fail(f"{names[0]} is missing, and this run must not skip")
        pytest.skip(f"no {names[0]} on this machine: apt-get install {package}")
    return found


@pytest.fixture(scope="session")
def launch():
    """Start headless Chromium of the system, with further flags perhaps."""
    browser = program("chromium", "chromium-browser", package="chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield lambda *flags: playwright.chromium.launch(
            executable_path=browser, args=[*FLAGS, *flags]
        )


@pytest.fixture(scope="session")
def chromium(launch):
    """Headless Chromium of the system."""
    started = launch()
    yield started
    started.close()


@pytest.fixture(scope="session")
def pdflatex():
    """Compile a `.tex` file beside itself as often as references need; returns the log's text."""
    found = program("pdflatex", package="texlive-latex-base texlive-latex-recommended")

    def compile_tex(path: Path) -> str:
        command = [found, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape"]
        for _ in range(2):
            done = subprocess.run(
                [*command, path.name], cwd=path.parent, capture_output=True, timeout=60
            )
            log = done.stdout.decode("latin-1")
            assert done.returncode == 0, log[-3000:]
        assert path.with_suffix(".pdf").read_bytes().startswith(b"%PDF")
        return log

    return compile_tex


def with_weights(folder: Path) -> Path:
    """A cache folder that holds the ImageNet weights and nothing else."""
    folder.mkdir(parents=True)
    if IMAGENET.exists():
        (folder / IMAGENET.name).symlink_to(IMAGENET.resolve())
    return folder


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory):
    """Keep the tests out of the user's cache; the tests of one worker share the features."""
    folder = with_weights(tmp_path_factory.mktemp("cache") / "emorank")
    before = os.environ.get("EMORANK_CACHE")
    os.environ["EMORANK_CACHE"] = str(folder)
    yield folder
    if before is None:
        del os.environ["EMORANK_CACHE"]
    else:
        os.environ["EMORANK_CACHE"] = before


def draw(emotion: str, person: int, side: int = 80) -> Image.Image:
    """A face of a few strokes: skin, brows and place differ by person, the mouth by emotion."""
    random = np.random.default_rng(person)
    skin = tuple(int(v) for v in random.integers((170, 120, 90), (240, 190, 150)))
    image = Image.new("RGB", (side, side), (90 + 12 * person, 110, 130))
    pen = ImageDraw.Draw(image)
    dx, dy = random.integers(-3, 4, 2)
    pen.ellipse((8 + dx, 2 + dy, side - 8 + dx, side - 2 + dy), skin)
    for x in (26, 54):
        pen.ellipse((x - 5 + dx, 28 + dy, x + 5 + dx, 36 + dy), "white", "black")
        tilt = {"anger": 8, "happy": 0, "surprise": -5}[emotion] * (1 if x < 40 else -1)
        brow = (x - 9 + dx, 22 - tilt // 2 + dy, x + 9 + dx, 22 + tilt // 2 + dy)
        pen.line(brow, (60, 30, 10), 4)
    if emotion == "anger":
        pen.line((26 + dx, 58 + dy, 54 + dx, 58 + dy), (120, 0, 0), 5)
    elif emotion == "happy":
        pen.chord((22 + dx, 42 + dy, 58 + dx, 68 + dy), 0, 180, "white", (150, 0, 0), 3)
    else:
        pen.ellipse((30 + dx, 46 + dy, 50 + dx, 74 + dy), (40, 0, 0), (150, 0, 0), 3)
    return image


def draw_tree(root: Path, emotions=EMOTIONS, persons=PERSONS) -> Path:
    """A folder per emotion, one image of each person in it: `happy/p3.png`."""
    for emotion in emotions:
        (root / emotion).mkdir(parents=True)
        for person in persons:
            draw(emotion, int(person[1:])).save(root / emotion / f"{person}.png")
    return root


def write_votes(path: Path, emotions=EMOTIONS, persons=PERSONS) -> Path:
    """Votes of three raters that look at nothing."""
    random = np.random.default_rng(5)
    ranks = ("Minimal", "Average", "Strong")
    lines = ["image,rater,rank"]
    for image in (f"{emotion}/{person}.png" for emotion in emotions for person in persons):
        lines += [f"{image},r{rater},{ranks[random.integers(3)]}" for rater in range(3)]
    path.write_text("\n".join(lines) + "\n")
    return path


def shared_folder(tmp_path_factory) -> Path:
    """A folder of this test run that all workers of pytest-xdist see."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    """Drawn faces of eight persons with three emotions each; to be read only."""
    shared = shared_folder(tmp_path_factory)
    with FileLock(shared / "drawn.lock"):
        if not (shared / "drawn").exists():
            draw_tree(shared / "drawn")
    return shared / "drawn"


@pytest.fixture(scope="session")
def votes(tmp_path_factory):
    """Votes on the drawn faces; to be read only."""
    return write_votes(tmp_path_factory.mktemp("votes") / "votes.csv")


@pytest.fixture
def own_drawn(drawn, tmp_path):
    """The drawn faces once more, to be spoilt."""
    return Path(shutil.copytree(drawn, tmp_path / "faces"))


@pytest.fixture(scope="session")
def quick(drawn):
    """Make a plan that trains on the drawn faces in seconds; `changes` as in `override`."""
    from emorank.study.plan import Plan, override
    from emorank.study.resolve import resolve

    def plan(changes=None, data=drawn):
        return resolve(override(Plan(), QUICK | {"data.path": str(data)} | (changes or {})))

    return plan


@pytest.fixture(scope="session")
def finished(tmp_path_factory, quick):
    """The folder of a study of the drawn faces, with votes, run to its end; to be read only."""
    from emorank.study.folder import create_study
    from emorank.study.run import run

    shared = shared_folder(tmp_path_factory)
    with FileLock(shared / "finished.lock"):
        if not (shared / "finished").exists():
            votes = write_votes(shared / "finished.csv")
            run(create_study(shared / "making", quick({"validate.votes": str(votes)})))
            (shared / "making").rename(shared / "finished")
    return shared / "finished"


@pytest.fixture
def own_study(finished, tmp_path):
    """The finished study once more, to be changed."""
    from emorank.study.folder import open_study

    return open_study(Path(shutil.copytree(finished, tmp_path / "study")))


@pytest.fixture
def own_rated(own_study):
    """The same with four persons who validate: enough rated faces to calibrate on."""
    return with_four_validators(own_study)


def with_four_validators(study):
    """Let four of the eight persons validate, and two be tested."""
    parts = dict.fromkeys(("p0", "p1", "p2", "p4"), "validation") | {"p5": "test", "p7": "test"}
    split, faces = study.table("split"), study.table("faces").set_index("image")
    person = split["image"].map(faces["person"])
    split["part"] = person.map(parts).fillna("train").astype("string")
    study.write_table("split", split)
    return study


@dataclass(frozen=True)
class Outcome:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def failure(self) -> str:
        """The one line on stderr of a command that failed as it should."""
        errors = [line for line in self.err.splitlines() if line.startswith("Error: ")]
        assert self.code == 1, self
        assert len(errors) == 1, self.err
        assert "Traceback" not in self.err
        return self.err[self.err.index("Error: ") :]


@pytest.fixture
def cli(monkeypatch, capsys):
    """Run the command line in this process: `cli("weights", "list").code`."""
    from emorank.cli import main

    def run(*arguments):
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["emorank", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "200")
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code
        out, err = capsys.readouterr()
        return Outcome(code, out, err)

    return run


@pytest.fixture(scope="session")
def settings():
    """The quick plan as options of the command line, some of it changed."""

    def options(changes=None):
        return [f"--set={key}={value}" for key, value in (QUICK | (changes or {})).items()]

    return options


@pytest.fixture(scope="session")
def new_cache():
    """Make a cache folder that holds the ImageNet weights and nothing else."""
    return with_weights
