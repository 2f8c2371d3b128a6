"""What a forge and a builder of containers are told: it exists, is pinned, takes few rights."""

import fnmatch
import re
import shlex
import tomllib
from pathlib import Path

import pytest
import yaml
from release.pypi_page import LINK
from tests.wheels import ROOT

from emorank.cli import emorank

FORGE = ROOT / ".github"
WORKFLOWS = sorted((FORGE / "workflows").glob("*.yml"))
TEMPLATES = sorted((FORGE / "ISSUE_TEMPLATE").glob("*.yml"))
PINNED = re.compile(
    r"- (?:id: \w+\n +)?uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", re.MULTILINE
)
URLS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]


def read(path: Path) -> dict:
    """A file of YAML."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_do_what_is_done_by_hand(path):
    """Commands are make targets, files of the project, or the program; few rights; a time limit."""
    text, workflow = path.read_text(encoding="utf-8"), read(path)
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert workflow["permissions"] == {"contents": "read"}
    assert text.count("uses:") == len(PINNED.findall(text)) > 0
    assert "secrets." not in text
    assert "pull_request_target" not in text
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 60
        given = job.get("permissions", {})
        assert set(given) <= {"id-token", "pages"}  # what publishes writes nothing here
        for step in job["steps"]:
            if "actions/checkout" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False
            for line in step.get("run", "").splitlines():
                program, *words = shlex.split(line)
                if program == "make":
                    assert words[0] in targets, line
                elif "-m" in words:
                    assert (ROOT / f"{words[1].replace('.', '/')}.py").is_file(), line
                elif program.startswith(("./", ".ci")):
                    assert (ROOT / program).stat().st_mode & 0o100, line
                else:
                    assert program in {"git", "docker"}, line
                    assert "${{" not in line


def test_every_python_that_is_supported_is_tested():
    """The matrix has the least version, and each that a classifier names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {line.rpartition(" ")[2] for line in project["classifiers"] if ":: 3." in line}
    least = project["requires-python"].removeprefix(">=")
    tested = read(FORGE / "workflows" / "ci.yml")["jobs"]["python"]["strategy"]["matrix"]["python"]
    assert named | {least} <= set(tested)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_templates_are_forms_that_keep_faces_private(path):
    """Each field has a label and an id of its own; addresses are the project's."""
    form = read(path)
    addresses = re.findall(r"https://github\.com/[^)\s]*", path.read_text(encoding="utf-8"))
    assert all(address.startswith(URLS["Source"]) for address in addresses)
    if path.stem == "config":
        return
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    ids = [field["id"] for field in fields]
    assert len(ids) == len(set(ids)) > 0
    assert all(field["attributes"]["label"] for field in fields)
    told = " ".join(field["attributes"].get("value", "") for field in form["body"])
    assert "has not agreed" in told or "have not agreed" in told


def test_files_that_templates_lead_to_exist():
    """Links into the tree of the project."""
    for path in TEMPLATES:
        for name in re.findall(r"/blob/main/([^)\s]+)", path.read_text(encoding="utf-8")):
            assert (ROOT / name).is_file(), name


CONTAINER = (ROOT / "Containerfile").read_text(encoding="utf-8")


def instructions() -> list[list[str]]:
    """The words of each instruction; comments are left out, broken lines joined."""
    lines = "\n".join(line for line in CONTAINER.splitlines() if not line.startswith("#"))
    return [line.split() for line in lines.replace("\\\n", " ").splitlines() if line.strip()]


def copied() -> list[str]:
    """The patterns of what the build copies from the project."""
    copies = (words[1:-1] for words in instructions() if words[0] == "COPY")
    return [name for names in copies for name in names if not name.startswith(("--", "/"))]


def test_the_container_runs_without_rights():
    """A user of its own, a base of one version, nothing fetched by address, no secret."""
    verbs = [words[0] for words in instructions()]
    assert "ADD" not in verbs
    users = [words[1] for words in instructions() if words[0] == "USER"]
    assert users
    assert users[-1] not in ("0", "root", "0:0")
    assert verbs.index("USER") > verbs.index("RUN", verbs.index("RUN") + 1)  # nothing after it
    assert "RUN" not in verbs[verbs.index("USER") :]
    bases = [words[1] for words in instructions() if words[0] == "FROM"]
    assert set(bases) == {"${BASE}"}
    assert re.search(
        r"^ARG BASE=docker\.io/library/python:3\.11-slim-\w+$", CONTAINER, re.MULTILINE
    )
    assert "--constraint constraints.txt" in CONTAINER
    assert not re.search(r"curl|wget|sudo|PASSWORD|TOKEN|SECRET", CONTAINER)
    assert "HEALTHCHECK" in verbs
    assert "/healthz" in CONTAINER


def test_the_container_starts_a_verb():
    """What it does by default is a command that exists, and listens to itself only."""
    (words,) = ([*w[1:]] for w in instructions() if w[0] == "CMD")
    line = [word.strip('[],"') for word in words]
    emorank.get_command(None, line[0]).make_context(line[0], line[1:])
    assert not {"--host", "--base-url"} & set(line)


def test_the_build_sees_what_it_copies_and_no_more():
    """.containerignore lets in what is copied; the readme's links need their files."""
    ignore = (ROOT / ".containerignore").read_text(encoding="utf-8").splitlines()
    let_in = [line[1:] for line in ignore if line.startswith("!")]
    assert ignore[1] == "*"
    assert sorted(let_in) == sorted(copied())
    for name in copied():
        assert list(ROOT.glob(name)), name
    for link in LINK.finditer((ROOT / "README.md").read_text(encoding="utf-8")):
        name = link["target"].partition("#")[0]
        if name and not re.match(r"[a-z]+:", name):
            assert any(
                fnmatch.fnmatchcase(name, pattern) or name.startswith(f"{pattern}/")
                for pattern in copied()
            ), f"README.md leads to {name}, which the Containerfile does not copy"
