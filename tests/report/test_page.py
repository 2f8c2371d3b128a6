"""The report: one file that loads nothing, tells everything, and is written whole or not at all."""

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from markupsafe import Markup

from emorank.report import page
from emorank.report.headline import simulated
from emorank.report.page import Page, Section, render, write
from emorank.report.sections import data as data_section
from emorank.report.sections.sheet import votes_summary


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
        "near-identical pixels", "not known",
        "joint", "Average", "A1", "broken.png", "truncated", "ab" * 32, "Punuri, S. K. Kuanar",
        "AI Act", "never what somebody feels",
    ):  # fmt: skip
        assert expected in words, expected
    assert "SIMULATED" not in words


def test_the_first_screen_leads_with_what_works(contents, rendered):
    """One face and its heatmap, its level, the three lines; then the sections, the paper's last."""
    outline = Outline(rendered)
    words, (first, second, third) = outline.words, contents.headline
    places = [words.index(part) for part in ("Why happy, and not neutral?", first, second, third)]
    assert places == sorted(places)
    assert "Rank by the contrast to neutral" in second
    assert "The paper's rule" in third
    alts = [image["alt"] for image in all_of(outline, "img")]
    assert alts[0] == "A face that expresses happy"
    assert "red pixels speak for happy" in alts[1]
    assert "thresholds" in alts[2]
    names = [section["id"] for section in all_of(outline, "section")]
    assert names[:4] == ["emotion", "ranks", "examples", "papers-rule"]


def test_how_to_cite(contents, rendered):
    """Author, year and DOI of each, BibTeX once, the same as in CITATION.cff."""
    words = Outline(rendered).words.rpartition("How to cite")[2]
    assert words.count("The emorank maintainers: emorank 0.1. 2026.") == 1
    assert words.count(contents.data.citation) == 1
    assert words.count("@article{") == 2
    assert words.count("@software{") == 1
    file = (Path(__file__).parents[2] / "CITATION.cff").read_text()
    for line in ("doi: 10.1109/ACCESS.2024.3474012", "year: 2024", "volume: 12", "start: 186229"):
        assert line in file
        assert line.partition(": ")[2] in words
    assert words.count("doi:10.1109/ACCESS.2024.3474012") == 1


def test_no_folder_of_a_machine_is_on_the_page(contents):
    """Settings and reasons keep the names of files, and lose where they are."""
    plan = {"data": {"path": "/home/ann b/faces"}, "validate": {"votes": "C:\\Users\\a\\v.csv"}}
    excluded = contents.excluded.assign(reason="/mnt/disk/faces/a.png: truncated")
    html = render(replace(contents, plan=plan, excluded=excluded).page())
    assert "a.png: truncated" in html
    assert "faces" in html
    for part in ("/home", "ann b", "Users", "/mnt", "disk/"):
        assert part not in html


def test_simulated_data_is_called_simulated(contents):
    """Rendered faces and simulated raters are announced at the top and where they matter."""
    bare = replace(contents, training=None, examples=(), first=None)
    faces = replace(
        bare, data=replace(contents.data, simulated=True), validation=None, compared=None
    )
    assert "SIMULATED" in Outline(render(faces.page())).words
    raters = Outline(
        render(replace(bare, votes=replace(contents.votes, simulated=True)).page())
    ).words
    assert raters.count("SIMULATED") == 2
    assert "raters are simulated" in raters


def test_what_was_assumed_of_persons_is_said(contents):
    """In a sentence of its own, where the persons are counted."""
    assumed = "The emotion folders share their file names (ann, ben …)"
    told = replace(contents, data=replace(contents.data, assumed=assumed))
    assert f"{assumed}." in Outline(render(told.page())).words


def test_data_cannot_write_html(contents):
    """Markup in any string of the study comes out as text."""
    evil = "</style></title><script>alert(1)</script>\"'><img src=http://x.example/y onerror=z>"
    hostile = replace(
        contents,
        title=evil,
        headline=(evil,),
        data=replace(
            contents.data, name=evil, title=evil, licence=evil, citation=evil, crop=evil,
            url="javascript:alert(1)",
            distribution=contents.data.distribution.rename(index={"Anger": evil}),
        ),
        plan={evil: {evil: evil}},
        examples=(
            replace(contents.examples[0], image=evil, rank=evil, score=evil, note=evil),
        ),
        ruled=(replace(contents.ruled[0], image=evil, emotion=evil, rank=evil),),
        first=replace(contents.first, row=contents.first.row | {"image": evil}),
        votes=replace(contents.votes, ties=evil, sheet=pd.DataFrame({"image": [evil]})),
        excluded=pd.DataFrame({"file": [evil, "\udcff"], "reason": [evil, "x"]}, dtype=object),
        hashes={evil: evil},
    )  # fmt: skip
    outline = Outline(render(hostile.page()))
    assert all_of(outline, "script") == []
    assert all(image["src"].startswith("data:image/") for image in all_of(outline, "img"))
    assert not any(a["href"].startswith("javascript") for a in all_of(outline, "a"))
    assert not any(a.startswith("on") for _, attributes in outline.tags for a in attributes)
    assert "javascript:alert(1)" in outline.words


def test_a_study_without_votes_training_or_examples(contents):
    """What is missing is said to be missing."""
    bare = replace(
        contents,
        training=None, examples=(), ruled=(), first=None,
        validation=None, compared=None, votes=None,
        excluded=contents.excluded.head(0),
    )  # fmt: skip
    words = Outline(render(bare.page())).words
    for expected in (
        "there are no votes",
        "Nothing was trained",
        "No examples",
        "No file was left",
    ):
        assert expected in words


def test_long_lists_are_cut_with_their_number(contents, monkeypatch):
    """Only the first exclusions are shown; how many there are is said."""
    monkeypatch.setattr(data_section, "EXCLUSIONS", 2)
    files = pd.DataFrame({"file": [f"file{n}.png" for n in range(5)], "reason": "empty"})
    words = Outline(
        render(replace(contents, validation=None, training=None, excluded=files).page())
    ).words
    assert "5 files were left out; the first 2" in words
    assert "file1.png" in words
    assert "file2.png" not in words


def test_the_same_study_makes_the_same_page(contents, rendered, tmp_path):
    """Writing twice gives the same bytes, in a folder that is made."""
    first = write(contents.page(), tmp_path / "report" / "index.html").read_bytes()
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
        write(contents.page(), path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["index.html"]


def test_a_section_may_not_be_html_by_accident():
    """Title, heading and results are escaped; the body of a section is HTML."""
    page = Page("<b>", "<i>", (Section("one", "<u>", Markup("<em>body</em>")),), results=("<s>",))
    text = render(page)
    for tag in ("<b>", "<i>", "<u>", "<s>"):
        assert tag not in text.partition("</style>")[2]
    assert "<em>body</em>" in text


def test_leakage_that_is_not_known_is_not_none(contents):
    """A count, its share, and "not known" where hashes are missing."""
    table = data_section.leakage_table(replace(contents.leakage, person=3))
    assert table["images"].tolist() == [3, 0, "not known"]
    assert table["share"].tolist()[:2] == [0.25, 0.0]
    assert (
        "Persons may be in both parts"
        in data_section.split_section("by image", 0, replace(contents.leakage, person=None)).body
    )
    assert (
        "Persons may be in both parts"
        not in data_section.split_section("by person", 0, contents.leakage).body
    )


def test_as_many_exclusions_as_fit_are_all_shown(contents):
    """Fifty are shown and nothing is said to be cut; of 51 the last is missing."""
    files = pd.DataFrame({"file": [f"file{n}.png" for n in range(51)], "reason": "empty"})
    fifty, more = (data_section.exclusions_section(files.head(n)).body for n in (50, 51))
    assert "the first" not in fifty
    assert "file49.png" in fifty
    assert "the first 50" in more
    assert "file50.png" not in more


@pytest.mark.parametrize("raters", [True, False])
@pytest.mark.parametrize("rendered_faces", [True, False])
def test_the_banner_names_what_is_simulated(raters, rendered_faces):
    """Nothing where nothing is; real raters are doubted only where raters are simulated."""
    words = simulated(faces=rendered_faces, raters=raters)
    assert ("rendered" in words) == rendered_faces
    assert ("not people" in words) == raters
    assert words.endswith("real faces or real raters.") == raters
    assert bool(words) == (raters or rendered_faces)


@pytest.mark.parametrize(
    ("rater", "expected"), [("simulated 1", True), ("R1", False)], ids=["simulated", "mixed"]
)
def test_raters_are_simulated_where_all_of_them_are(rater, expected):
    """One person among simulated raters makes them raters; no votes make no summary."""
    votes = pd.DataFrame(
        {"image": ["a", "a", "b"], "rater": ["simulated 1", rater, "simulated 1"]}
    ).assign(rank="Strong")
    votes.loc[1, "rater"] = "simulated 2" if expected else rater
    summary = votes_summary(votes, "median")
    assert summary.simulated == expected
    assert (summary.votes, summary.raters, summary.tied) == (3, 2, 0)
    assert votes_summary(votes.head(0), "median") is None
