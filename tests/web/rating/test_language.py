"""Catalogues are whole, and everybody gets the language that was asked for."""

import re

import pytest
from starlette.requests import Request
from tests.web.rating.messages import messages

from emorank.errors import RatingError
from emorank.room.protocol import Languages
from emorank.web.rating.catalogue import problems, read_po, translations
from emorank.web.rating.language import SHIPPED, Choice, shipped_po

FIELD = re.compile(r"\{(\w+)\}")


@pytest.mark.parametrize("code", SHIPPED)
def test_no_message_is_untranslated(code):
    """The catalogue has the messages of the pages and no others, with the same fields; the one of
    English is the empty form for translators."""  # noqa: D205, D209 - one sentence
    head, *found = read_po(shipped_po(code), code)
    assert {one.english: one.plural for one in found} == messages()
    assert problems([head, *found]) == []
    catalogue = translations([head, *found], code)
    forms = int(re.search(r"nplurals=(\d)", catalogue.info()["plural-forms"])[1])
    for one in found:
        assert len(one.translated) == (forms if one.plural else 1), one
        assert all(one.translated) == (code != "en"), one
        for text in filter(None, one.translated):
            assert text.strip() == text
            # The sign that ends a sentence is there, or not, in both.
            assert (text[-1] in ".?:。？：") == (one.english[-1] in ".?:"), one
    if code != "en":
        assert catalogue.ngettext(*next((m, p) for m, p in messages().items() if p), 5) != ""


def request(header="", query=""):
    headers = [(b"accept-language", header.encode())] if header else []
    return Request({"type": "http", "headers": headers, "query_string": query.encode()})


@pytest.mark.parametrize(
    ("header", "query", "expected"),
    [
        ("", "", "en"),
        ("de-AT,de;q=0.9,en;q=0.8", "", "de"),
        ("en;q=0.3, fr;q=0.7", "", "fr"),
        ("ja, zh-CN;q=0.5", "", "zh"),
        ("ja", "", "en"),
        ("de", "lang=es", "es"),
        ("de", "lang=xx", "de"),
        ("de;q=x, es", "", "es"),
        ("*," * 4000, "", "en"),
        ("de", "lang=" + "x" * 999, "de"),
    ],
)
def test_the_address_comes_before_the_browser(header, query, expected):
    """And what nobody understands gives the first language."""
    assert Choice(Languages()).wished(request(header, query)).code == expected


def test_a_study_offers_its_own_languages(capsys):
    """Only those that it names, the first for all others; one of its own from a file."""
    polish = shipped_po("en").replace('msgid "Begin"\nmsgstr ""', 'msgid "Begin"\nmsgstr "Zacznij"')
    polish = polish.replace("Language-Name: English", "Language-Name: polski")
    choice = Choice(Languages(offered=("de", "pl"), files={"pl": polish}))
    assert choice.wished(request("fr")).code == "de"
    found = choice.wished(request("pl-PL"))
    assert (found.name, found("Begin"), found("Go on")) == ("polski", "Zacznij", "Go on")
    with pytest.raises(RatingError, match="no catalogue for the language it"):
        Choice(Languages(offered=("it",)))
    for wrong, says in (
        (polish + "\nnonsense", "none of a .po file: nonsense"),
        (polish.replace('msgid "Begin"', 'msgid "{x} Begin"'), "expected the fields"),
        (polish + '\nmsgid "open', "none of a .po file"),
    ):
        with pytest.raises(RatingError, match=re.escape(says)):
            Choice(Languages(offered=("pl",), files={"pl": wrong}))


def test_words_are_safe_in_a_page():
    """What is filled in is escaped, whatever the catalogue says."""
    language = Choice(Languages()).first
    assert language("Questions? Ask: {contact}", contact="<b>") == "Questions? Ask: &lt;b&gt;"


@pytest.mark.parametrize("forms", ["n.__class__", "n/0", "1/(n-5)", "(" * 500, "n +"], ids=range(5))
def test_a_plural_that_cannot_be_computed_is_refused(forms):
    """When the study is made, and not when a page is."""
    odd = shipped_po("de").replace("plural=(n != 1)", f"plural={forms}")
    with pytest.raises(RatingError, match="Plural-Forms that cannot be used"):
        Choice(Languages(offered=("xx",), files={"xx": odd}))


@pytest.mark.parametrize("odd", ["{", "{}", "{{", "}", "{count", "{count.__class__}", "%s"])
def test_braces_in_a_catalogue_do_no_harm(odd):
    """They are text; what a file says of its own characters is not asked."""
    text = shipped_po("de").replace("{count} Minuten:", f"{{count}} Minuten {odd}:")
    text = text.replace("charset=UTF-8", "charset=klingon")
    language = Choice(Languages(offered=("xx",), files={"xx": text})).first
    one = "It takes about {count} minute: {faces} pictures."
    many = "It takes about {count} minutes: {faces} pictures."
    assert (
        str(language.plural(one, many, 5, faces=3)) == f"Es dauert etwa 5 Minuten {odd}: 3 Bilder."
    )
