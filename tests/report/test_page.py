"""The report: one file that loads nothing, tells everything, and is written whole or not at all."""

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from emorank.report import page
from emorank.report.page import Example, render, write


class Outline(HTMLParser):
    """Tags, their attributes and the text of a page; refuses tags that do not close."""

    VOID = frozenset({"meta", "img", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.words = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data


def all_of(outline: Outline, name: str) -> list[dict]:
    return [attributes for tag, attributes in outline.tags if tag == name]


def test_nothing_is_loaded_from_anywhere(rendered):
    """Pictures are in the page, scripts and style sheets are not, and the policy forbids them."""
    outline = Outline(rendered)
    assert all(image["src"].startswith("data:image/") for image in all_of(outline, "img"))
    assert all(image["alt"] for image in all_of(outline, "img"))
    assert len(all_of(outline, "img")) >= 12
    for tag in ("script", "link", "iframe", "object", "form", "base"):
        assert all_of(outline, tag) == []
    policy = [m["content"] for m in all_of(outline, "meta") if "http-equiv" in m]
    assert "default-src 'none'" in policy[0]
    assert "url(" not in rendered
    assert not any(a.startswith("on") for _, attributes in outline.tags for a in attributes)


def test_links_inside_the_page_lead_somewhere(rendered):
    """Every entry of the table of contents is a section, and every section an entry."""
    outline = Outline(rendered)
    targets = {a["href"][1:] for a in all_of(outline, "a") if a["href"].startswith("#")}
    assert targets == {section["id"] for section in all_of(outline, "section")}


def test_what_a_reader_looks_for(contents, rendered):
    """Results, leakage, licence, tables, exclusions, hashes and limits are all there."""
    words = Outline(rendered).words
    for line in contents.headline:
        assert line in words
    for expected in (
        "CC0", "Nobody 2026", "by person", "VGG-16", "0.1, 0.25", "Quadratic-weighted kappa",
        "joint", "Average", "A1", "broken.png", "truncated", "ab" * 32, "Punuri et al.",
        "AI Act", "never what somebody feels",
    ):  # fmt: skip
        assert expected in words, expected
    assert "SIMULATED" not in words


def test_simulated_data_is_called_simulated(contents):
    """Rendered faces and simulated raters are announced at the top and where they matter."""
    bare = replace(contents, training=None, examples=(), known_intensity=None)
    faces = replace(bare, data=replace(contents.data, simulated=True), ranks=None)
    assert "SIMULATED" in Outline(render(faces)).words
    raters = Outline(render(replace(bare, votes=replace(contents.votes, simulated=True)))).words
    assert raters.count("SIMULATED") == 2
    assert "raters are simulated" in raters


def test_data_cannot_write_html(contents):
    """Markup in any string of the study comes out as text."""
    evil = "</style></title><script>alert(1)</script>\"'><img src=http://x.example/y onerror=z>"
    hostile = replace(
        contents,
        title=evil,
        created=evil,
        headline=(evil,),
        data=replace(
            contents.data, name=evil, title=evil, licence=evil, citation=evil, crop=evil,
            url="javascript:alert(1)",
            distribution=contents.data.distribution.rename(index={"Anger": evil}),
        ),
        split=replace(contents.split, method=evil, leakage=pd.DataFrame({evil: [evil]})),
        plan={evil: {evil: evil}},
        examples=(Example(evil, evil, evil, 0.5, contents.examples[0].strip, None, evil),),
        votes=replace(contents.votes, ties=evil, sheet=pd.DataFrame({"image": [evil]})),
        exclusions=pd.DataFrame({"file": [evil, "\udcff"], "reason": [evil, "x"]}, dtype=object),
        versions={evil: evil},
        hashes={evil: evil},
        cite=(evil,),
    )  # fmt: skip
    outline = Outline(render(hostile))
    assert all_of(outline, "script") == []
    assert all(image["src"].startswith("data:image/") for image in all_of(outline, "img"))
    assert not any(a["href"].startswith("javascript") for a in all_of(outline, "a"))
    assert not any(a.startswith("on") for _, attributes in outline.tags for a in attributes)
    assert "javascript:alert(1)" in outline.words


def test_a_study_without_votes_training_or_examples(contents):
    """What is missing is said to be missing."""
    bare = replace(
        contents,
        training=None, examples=(), rank_counts=None, ranks=None, votes=None, known_intensity=None,
        exclusions=contents.exclusions.head(0),
    )  # fmt: skip
    words = Outline(render(bare)).words
    for expected in (
        "there are no votes",
        "Nothing was trained",
        "No examples",
        "No file was left",
    ):
        assert expected in words


def test_long_lists_are_cut_with_their_number(contents, monkeypatch):
    """Only the first exclusions are shown; how many there are is said."""
    monkeypatch.setattr(page, "EXCLUSIONS_SHOWN", 2)
    files = pd.DataFrame({"file": [f"file{n}.png" for n in range(5)], "reason": "empty"})
    words = Outline(render(replace(contents, ranks=None, training=None, exclusions=files))).words
    assert "5 files were left out; the first 2" in words
    assert "file1.png" in words
    assert "file2.png" not in words


def test_the_same_study_makes_the_same_page(contents, rendered, tmp_path):
    """Writing twice gives the same bytes, in a folder that is made."""
    first = write(contents, tmp_path / "report" / "index.html").read_bytes()
    assert first.decode() == rendered
    assert first.startswith(b"<!doctype html>")
    assert [p.name for p in (tmp_path / "report").iterdir()] == ["index.html"]


def test_a_failed_write_leaves_the_old_report(contents, tmp_path, monkeypatch):
    """When the disk is full, the earlier report stays and nothing half-written is left."""
    path = tmp_path / "index.html"
    path.write_text("old")

    def full(self, data):
        with self.open("wb") as file:
            file.write(data[:1])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(page, "render", lambda _contents: "new")
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        write(contents, path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["index.html"]
