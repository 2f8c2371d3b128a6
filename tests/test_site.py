"""The site of the documentation: whole, without other hosts, searched, readable on a phone."""

import inspect
import re
from html import unescape

import click
import pytest
from docs.site.__main__ import build
from docs.site.command_line import verbs_of
from docs.site.links import external, faults
from docs.site.staging import ROOT, pages, relink, sections
from filelock import FileLock
from tests.conftest import shared_folder

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
    context.close()
