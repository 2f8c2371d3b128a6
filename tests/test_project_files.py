"""What others read about the project says the same everywhere: address, licence, paper."""

import json
import re
import subprocess
import tomllib

import pytest
import yaml
from release.check import faults, web_address
from tests.wheels import ROOT

from emorank import __version__

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
URLS = PROJECT["urls"]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
CODEMETA = json.loads((ROOT / "codemeta.json").read_text(encoding="utf-8"))


def test_citation_and_codemeta_say_what_the_package_says():
    """Name, version, licence, keywords, authors, addresses: pyproject.toml has them."""
    authors = [author["name"] for author in PROJECT["authors"]]
    assert [author["name"] for author in CITATION["authors"]] == authors
    assert [author["name"] for author in CODEMETA["author"]] == authors
    assert CITATION["title"] == CODEMETA["name"] == PROJECT["name"]
    assert CITATION["abstract"].strip() == CODEMETA["description"] == PROJECT["description"]
    assert CITATION["version"] == CODEMETA["version"] == __version__
    assert CITATION["license"] == PROJECT["license"]
    assert CODEMETA["license"] == f"https://spdx.org/licenses/{PROJECT['license']}"
    assert CITATION["keywords"] == CODEMETA["keywords"] == PROJECT["keywords"]
    assert CITATION["repository-code"] == CODEMETA["codeRepository"] == URLS["Source"]
    assert CITATION["url"] == CODEMETA["softwareHelp"] == URLS["Documentation"]
    assert CODEMETA["issueTracker"] == URLS["Issues"]
    assert CODEMETA["referencePublication"]["id"].endswith(CITATION["preferred-citation"]["doi"])


def test_the_citation_has_what_the_format_asks_for():
    """The required keys and the types of Citation File Format 1.2.0."""
    assert CITATION["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(CITATION)
    assert CITATION["type"] == "software"
    assert all(isinstance(CITATION[key], str) for key in ("message", "title", "version", "license"))
    paper = CITATION["preferred-citation"]
    assert {"type", "title", "authors"} <= set(paper)
    assert re.fullmatch(r"10\.\d{4,9}(\.\d+)?/\S+", paper["doi"])
    assert all({"family-names", "given-names"} == set(author) for author in paper["authors"])


def test_the_project_has_one_address():
    """Each address of the project in a file begins with one of pyproject.toml's."""
    ends = ("*.md", "*.cff", "*.json", "*.toml", "Containerfile", "Makefile")
    files = [path for end in ends for path in ROOT.glob(end)]
    files += [path for folder in ("docs", "paper") for path in (ROOT / folder).glob("*.md")]
    files += [path for path in (ROOT / ".github").rglob("*") if path.is_file()]
    wrong, found = [], 0
    for file in files:
        for link in re.findall(r"https?://[^\s)\"'`<>]+", file.read_text(encoding="utf-8")):
            if "emorank" in link.partition("://")[2].lower():
                found += 1
                if not link.startswith((URLS["Source"], URLS["Documentation"])):
                    wrong.append((file.name, link))
    assert not wrong
    assert found > 10


@pytest.mark.parametrize(
    "remote",
    [
        "git@forge.org:team/emorank.git",
        "ssh://git@forge.org/team/emorank.git",
        "https://forge.org/team/emorank.git",
        "https://somebody:secret@forge.org/team/emorank/",
    ],
)
def test_remotes_and_addresses_are_compared(remote):
    """Whatever git calls it."""
    assert web_address(remote) == "https://forge.org/team/emorank"


def test_what_must_not_be_uploaded_is_told(tmp_path):
    """Another address, changed files, no tag, no heading: a sentence each; else none."""

    def git(*words):
        name = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", *name, *words], cwd=tmp_path, check=True, capture_output=True)

    (tmp_path / "src" / "emorank").mkdir(parents=True)
    (tmp_path / "src" / "emorank" / "__init__.py").write_text('__version__ = "1.2.0"\n')
    (tmp_path / "pyproject.toml").write_text('[project.urls]\nSource = "https://f.org/a/b"\n')
    (tmp_path / "CHANGELOG.md").write_text("## [1.2.0] - 2027-01-31\n")
    git("init")
    assert [line.split(":")[0] for line in faults(tmp_path)] == [
        "there is no remote `origin`",
        "files are changed or not tracked",
        "this commit has no tag v1.2.0, to which PyPI's page links",
    ]
    git("remote", "add", "origin", "git@f.org:a/b.git")
    git("add", ".")
    git("commit", "-m", "Release")
    git("tag", "v1.2.0")
    assert faults(tmp_path) == []
    git("remote", "set-url", "origin", "git@f.org:a/c.git")
    (tmp_path / "CHANGELOG.md").write_text("## [Unreleased]\n")
    git("commit", "-am", "Go on")
    git("tag", "--force", "v1.2.0")
    address, heading = faults(tmp_path)
    assert "says https://f.org/a/b, but origin is https://f.org/a/c" in address
    assert heading == "CHANGELOG.md has no heading `## [1.2.0] - YYYY-MM-DD`"


def test_the_paper_is_one_of_joss():
    """Its header, its sections in the order of the journal, 750 to 1,000 words."""
    _, header, text = (ROOT / "paper" / "paper.md").read_text(encoding="utf-8").split("---\n", 2)
    head = yaml.safe_load(header)
    assert {"title", "tags", "authors", "affiliations", "date", "bibliography"} == set(head)
    assert [author["name"] for author in head["authors"]] == [
        author["name"] for author in PROJECT["authors"]
    ]
    affiliations = {affiliation["index"] for affiliation in head["affiliations"]}
    assert {author["affiliation"] for author in head["authors"]} == affiliations
    assert re.fullmatch(r"\d{1,2} [A-Z][a-z]+ \d{4}", head["date"])
    assert re.findall(r"^# (.+)$", text, re.MULTILINE) == [
        *("Summary", "Statement of need", "State of the field", "Software design"),
        *("Research impact statement", "AI usage disclosure", "Acknowledgements", "References"),
    ]
    assert 750 <= len(re.sub(r"\[@[^\]]*\]", "", text).split()) <= 1000


def test_the_paper_cites_what_it_lists():
    """Each key has an entry, each entry is cited, once in the file, and has a DOI of its own."""
    text = (ROOT / "paper" / "paper.md").read_text(encoding="utf-8")
    entries = (ROOT / "paper" / "paper.bib").read_text(encoding="utf-8").split("\n@")
    keys = [re.search(r"\{(\w+),", entry)[1] for entry in entries]
    assert len(keys) == len(set(keys)) > 15
    assert set(re.findall(r"@(\w+)", text)) == set(keys)
    for entry in entries:
        assert {"author", "title", "year"} <= set(re.findall(r"^  (\w+) =", entry, re.MULTILINE))
    dois = [re.search(r"doi = \{(10\.\d{4,9}/[^}\s]+)\}", entry)[1] for entry in entries]
    assert len(dois) == len(set(dois))
    assert CITATION["preferred-citation"]["doi"] in dois
