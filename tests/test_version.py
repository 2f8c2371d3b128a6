"""The version stands in one place (its copies in other files: test_project_files.py)."""

import re
import subprocess
import sys
from pathlib import Path

import emorank

ROOT = Path(__file__).parent.parent


def text(name: str) -> str:
    """A file of the project."""
    return (ROOT / name).read_text(encoding="utf-8")


def released(changelog: str) -> list[str]:
    """The versions that have a section, newest first."""
    return re.findall(r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$", changelog, re.MULTILINE)


def test_the_program_says_the_version_of_the_package():
    """`emorank --version` is for whoever reports a mistake."""
    command = [sys.executable, "-m", "emorank", "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.split()[-1] == emorank.__version__


def test_the_changelog_begins_with_what_is_there():
    """First what is not released yet, then versions in falling order, the newest this one."""
    changelog = text("CHANGELOG.md")
    headings = re.findall(r"^## (.*)$", changelog, re.MULTILINE)
    versions = released(changelog)
    assert len(headings) == len(versions) + (headings[0] == "[Unreleased]")
    assert versions == sorted(versions, key=lambda v: [*map(int, v.split("."))], reverse=True)
    assert versions[:1] in ([], [emorank.__version__])
    assert released("## [1.10.0] - 2026-12-01\n\n## [1.9.0] - 2026-11-01\n") == ["1.10.0", "1.9.0"]


def test_the_build_reads_the_version_from_the_package():
    """Neither the project's file nor the site holds one of its own."""
    for name in ("pyproject.toml", "docs/site/conf.py"):
        assert not re.search(r'^(version|release) *= *"', text(name), re.MULTILINE), name
