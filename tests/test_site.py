"""The site of the documentation: whole, without other hosts, searched, readable on a phone."""

import inspect
import json
import re
from html import unescape
from html.parser import HTMLParser

import click
import pytest
from docs.site import accessible
from docs.site.__main__ import build
from docs.site.command_line import verbs_of
from docs.site.links import external, faults
from docs.site.staging import ROOT, pages, relink, sections
from docs.site.terms import explain
from filelock import FileLock
from sphinx.search.en import SearchEnglish
from tests.conftest import shared_folder
from tests.web.browsing import violations

import emorank
from emorank.cli import emorank as command_line


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site, once for all workers."""
    folder = shared_folder(tmp_path_factory) / "site"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            build(folder)
    return folder


def text_of(page) -> str:
    """What a reader sees of a page, without the marks."""
    return unescape(re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8")))


def test_every_page_has_its_place():
    """Each page of docs/ is reached by the navigation, once; the navigation names no other."""
    listed = [name for _, names in sections() for name in names]
    assert len(listed) == len(set(listed))
    assert "Further pages" not in dict(sections()), "navigation.toml: give each page its section"
    made = {"reference", "verbs"}
    assert set(listed) - made == {name.removesuffix(".md") for name in pages().values()} - {"index"}


def test_the_site_is_whole(site):
    """Every link and anchor leads somewhere, and a browser asks no other host for anything."""
    assert len(list(site.glob("*.html"))) > 50
    assert faults(site) == []
    listed = (site / "external_links.tsv").read_text(encoding="utf-8")
    assert "doi.org/10.6084/m9.figshare.5047666.v5" in listed


def test_every_verb_has_its_help(site):
    """Each option that the help of a verb shows stands on the page of the verb."""

    def check(command, name, page):
        assert name in page
        options = [option for option in command.params if isinstance(option, click.Option)]
        for word in (word for option in options if not option.hidden for word in option.opts):
            assert word in page, (name, word)
        for below, part in parts(command):
            check(part, f"{name} {below}", page)

    def parts(command):
        context = click.Context(command)
        return verbs_of(command, context) if isinstance(command, click.Group) else ()

    for name, command in parts(command_line):
        assert "Example" in text_of(site / f"verb_{name}.html"), name
        check(command, f"emorank {name}", text_of(site / f"verb_{name}.html"))


def test_every_public_name_has_its_parameters(site):
    """The reference has each name with all of its parameters."""
    page = text_of(site / "reference.html")
    for name in emorank.__all__:
        assert f"emorank.{name}" in page
        value = getattr(emorank, name)
        for parameter in inspect.signature(value).parameters if inspect.isfunction(value) else ():
            assert parameter in page, (name, parameter)


def test_faults_are_found(tmp_path):
    """A page or anchor that is missing, a script and a font of another host: each is told."""
    (tmp_path / "a.html").write_text(
        '<h1 id="here"></h1><a href="#here"></a><a href="b.html#there"></a><a href="c.html"></a>'
        '<a href="https://example.org/x"></a><script src="https://example.org/a.js"></script>'
    )
    (tmp_path / "b.html").write_text('<img src="data:image/png;base64,AA"><a href="a.html#here">')
    (tmp_path / "s.css").write_text("@font-face { src: url('//fonts.example.org/a.woff') }")
    assert faults(tmp_path) == [
        "a.html: loads https://example.org/a.js",
        "a.html: b.html#there leads nowhere",
        "a.html: c.html leads nowhere",
        "s.css: loads //fonts.example.org/a.woff",
    ]
    assert external(tmp_path) == {"https://example.org/x": ["a.html"]}


def test_links_of_a_page_lead_to_the_site(tmp_path):
    """To a page by its name there, to a copy of any other file; code stays; the rest is refused."""
    page = ROOT / "docs" / "faq.md"
    names = {ROOT / "CONTRIBUTING.md": "contributing.md"}
    text = "[a](../CONTRIBUTING.md#what) [b](../LICENSE) [c](https://x.org) `[d](no.md)`"
    text += " [e](../paper/paper.md)"
    moved = "[a](contributing.md#what) [b](files/LICENSE) [c](https://x.org) `[d](no.md)`"
    moved += " [e](path:files/paper/paper.md)"
    assert relink(text, page, names, tmp_path) == moved
    assert (tmp_path / "files" / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    for target in ("no.md", "../../outside.md"):
        with pytest.raises(ValueError, match=r"docs/faq\.md: .* leads nowhere"):
            relink(f"[a]({target})", page, names, tmp_path)


class Seen(HTMLParser):
    """The headings, pictures and columns of an article."""

    def __init__(self, text):
        super().__init__()
        self.levels, self.without_words, self.empty, self.inside, self.cell = [], [], 0, False, None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Note headings and pictures, and where a column begins."""
        attrs = dict(attrs)
        self.inside |= tag == "article"
        if self.inside and re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if tag == "img" and self.inside and not (attrs.get("alt") or "").strip():
            self.without_words.append(attrs.get("src", "")[:60])
        if tag == "th":
            self.cell = ""

    def handle_data(self, data):
        """Keep the words of a column."""
        if self.cell is not None:
            self.cell += data.strip()

    def handle_endtag(self, tag):
        """Count columns that have no words."""
        if tag == "th":
            self.empty += self.cell == ""
            self.cell = None
        self.inside &= tag != "article"


def test_pages_are_made_for_everybody(site):
    """One title, headings without gaps, words for each picture and column, none too heavy."""
    for file in sorted(site.glob("*.html")):
        text = file.read_text(encoding="utf-8")
        page = Seen(text)
        if file.stem != "genindex":
            assert page.levels.count(1) == 1, file.name
            assert page.levels[0] == 1, file.name
        jumps = [b for a, b in zip(page.levels, page.levels[1:], strict=False) if b > a + 1]
        assert (jumps, page.without_words, page.empty) == ([], [], 0), file.name
    for picture in (site / "_images").iterdir():
        assert picture.stat().st_size < 600_000, picture.name


def test_what_the_theme_lacks_is_mended(site):
    """Each of our replacements is on a page: a new version of the theme may have other words."""
    text = "".join((site / f"{name}.html").read_text() for name in ("tutorial", "search"))
    for _, ours in accessible.MENDED:
        assert ours in text
    assert "<th></th>" not in text
    assert not accessible.ICON.search(text)
    assert text.count('data-opens="__navigation"') == 2
    assert 'data-opens="__toc"' in text


def test_the_search_knows_what_people_call_things(site):
    """Words that a user types, also where the pages have others for it, are in the index."""
    text = (site / "searchindex.js").read_text(encoding="utf-8")
    index = json.loads(text[text.index("{") : text.rindex("}") + 1])
    known, stem = {*index["terms"], *index["titleterms"]}, SearchEnglish({}).stem
    typed = """video webcam camera privacy GDPR license licence citation Windows saliency
    attribution gradcam fairness bias demographic reliability annotator photo resume fine-tuning
    valence FACS SPSS install GPU translation Prolific consent ONNX Keras transformer heatmap"""
    for word in re.split(r"[\s-]+", typed):
        assert stem(word.lower()) in known, word


def test_a_name_in_a_sentence_leads_to_the_reference(tmp_path):
    """A public name does; other code, names in links and in headings stay as they are."""
    page = ROOT / "docs" / "faq.md"
    name = "[`emorank.read(…)`](reference.md#read)"
    for text, made in (
        ("Say `emorank.read(…)` here.", f"Say {name} here."),
        ("`emorank.nothing` `emorank.read.x` `read`", "`emorank.nothing` `emorank.read.x` `read`"),
        ("## `emorank.read`", "## `emorank.read`"),
        ("[see `emorank.read` there](https://x.org)", "[see `emorank.read` there](https://x.org)"),
        ("a [b](https://x.org), `emorank.read(…)` [c](https://x.org)",
         f"a [b](https://x.org), {name} [c](https://x.org)"),
    ):  # fmt: skip
        assert relink(text, page, {}, tmp_path) == made


def test_the_first_use_of_a_word_leads_to_the_glossary(site):
    """Once on a page, with its sentence; not in code, links, headings, tables or parts of words."""
    hint = "Something of the test part is in the training part"
    text = "# Leakage\n\n| leakage |\n\n`leakage` [leakage](a.md) leakages\nno leakage, leakage\n"
    *rest, last = explain(text, "page.md").splitlines()
    assert rest == text.splitlines()[:-1]
    assert last.startswith(f'no [leakage](glossary.md#leakage "{hint}')
    assert last.endswith('"), leakage')
    assert explain(text, "glossary.md") == text
    assert 'href="glossary.html#logit" title="' in (site / "ranking.html").read_text()


def test_the_reference_has_defaults_and_fields(site):
    """What a parameter is if nobody says it, and what a record holds."""
    page = text_of(site / "reference.html")
    assert "rule (str; 'count' by default)" in page
    assert "    title: str = 'A study of expressed emotion" in page


def test_the_site_works_from_the_disk(site, chromium):
    """Without a server: the search finds a page, no page is wider than a phone."""
    context = chromium.new_context(viewport={"width": 390, "height": 800})
    page = context.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    for name in ("index", "tutorial", "ranking", "reference", "verb_explain", "your_network"):
        page.goto((site / f"{name}.html").as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
    page.goto((site / "search.html").as_uri() + "?q=conservation")
    page.wait_for_selector("#search-results li a[href*='relevance.html']")
    assert not [url for url in asked if not url.startswith(("file:", "data:"))]
    for name in ("search", "service"):
        page.goto((site / f"{name}.html").as_uri())
        assert violations(page) == [], name
    page.goto((site / "reference.html").as_uri())
    page.wait_for_selector("article pre[tabindex='0']")
    list_of_pages = "getComputedStyle(document.querySelector('.sidebar-drawer')).visibility"
    for key, seen in (
        ("Tab", "hidden"),
        ("Tab", "hidden"),
        ("Enter", "visible"),
        ("Escape", "hidden"),
    ):
        page.keyboard.press(key)
        page.wait_for_function(f"{list_of_pages} == '{seen}'")
    context.close()
