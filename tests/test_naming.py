"""Names: which spellings mean the same image or person, and which do not."""

import unicodedata

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emorank.naming import decoded, each, image_name, person_name, whole

ZOE = "Zo\u00eb.jpg"


@pytest.mark.parametrize(
    "spelling",
    [
        "img/" + ZOE,
        "img/" + unicodedata.normalize("NFD", ZOE),
        "img\\" + ZOE,
        "./img//./" + ZOE,
        "img/old/../" + ZOE,
        "img/" + ZOE + "/",
        "https://faces.example.org/img/Zo%C3%AB.jpg",
        "HTTPS://faces.example.org:8000/img/Zoe%CC%88.jpg?X-Amz-Signature=ab%2Fc",
        "https://faces.example.org/img/" + ZOE,
        "s3://bucket/img/" + ZOE,
        "gs://bucket/img/" + ZOE,
    ],
)
def test_spellings_of_one_image(spelling):
    """All are img/Zoë.jpg."""
    assert image_name(spelling) == "img/" + ZOE


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a%20b.jpg", "a%20b.jpg"),
        ("50%.jpg", "50%.jpg"),
        ("what?x=1.jpg", "what?x=1.jpg"),
        ("s3://b/a%20b.jpg", "a%20b.jpg"),
        ("https://h/a%2520b.jpg", "a%20b.jpg"),
        ("https://h/x/#7.jpg", "x/#7.jpg"),
        ("https://h/x/%237.jpg?Expires=1", "x/#7.jpg"),
        ("https://h/a+b.jpg", "a+b.jpg"),
        ("https://h/a&b.jpg", "a&b.jpg"),
        ("https://h/what?.jpg", "what?.jpg"),
        ("https://h/show.php?id=7", "show.php?id=7"),
        ("https://h/faces/7?sig=abc", "faces/7"),
        ("https://h/faces?id=7", "faces?id=7"),
        ("https://h/caf%E9.jpg", "caf%E9.jpg"),
        ("file:///home/ann/a%20b.jpg", "home/ann/a b.jpg"),
        ("/faces/a.jpg", "/faces/a.jpg"),
        ("C:\\faces\\a.jpg", "C:/faces/a.jpg"),
        ("../a.jpg", "../a.jpg"),
        ("../../x/../a.jpg", "../../a.jpg"),
        ("", ""),
        (" a.jpg", " a.jpg"),
    ],
)
def test_what_names_keep(text, name):
    """Files may have any letters; only addresses are encoded, and lose host and query."""
    assert image_name(text) == name


@given(st.text() | st.from_regex(r"(https?|s3)://[a-z]/([%a-f0-9/.#?=]|%2F|%3A){1,12}"))
def test_a_name_is_its_own_name(text):
    """What was written in one way once stays so."""
    assert image_name(image_name(text)) == image_name(text)
    assert person_name(person_name(text)) == person_name(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ann ", "ann"),
        ("\tAnn\xa0 Lee\n", "Ann Lee"),
        ("Zoe\u0308", "Zo\u00eb"),
        ("7.0", "7"),
        ("007", "007"),
        ("007.0", "007"),
        ("7.5", "7.5"),
        ("v1.0", "v1.0"),
    ],
)
def test_names_of_people(text, name):
    """Blanks and the decimals of table programs are no part of a name; capitals are."""
    assert person_name(text) == name


def test_whole_numbers_and_columns():
    """Zeros after the point go, nothing else; what is missing stays missing."""
    assert [whole(text) for text in ("1.0", "-2.00", "1.50", "1.", "x")] == [
        *("1", "-2", "1.50", "1.", "x"),
    ]
    column = each(pd.Series(["a\\b", None, "a/b"]), image_name)
    assert column.tolist() == ["a/b", pd.NA, "a/b"]
    assert column.dtype == "string"
    assert decoded("a%20b%2") == "a b%2"


def test_what_nobody_sees_makes_no_other_person():
    """Zero-width blanks, marks of the byte order and soft hyphens; joiners of letters stay."""
    for name in ("ann\u200b", "\ufeffann", "an\u00adn", "ann\u2060 "):
        assert person_name(name) == "ann"
    assert person_name("a\u200cb") == "a\u200cb"
