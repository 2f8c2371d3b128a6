"""The page on ratings: everything escaped, nothing from elsewhere, right on desk and phone."""

import numpy as np
import pandas as pd
import pytest

from emorank.answers.answers_table import answers_table
from emorank.answers.emotion_votes import EmotionVotes
from emorank.evaluation.raters.rating_summary import summarise, summarise_emotions
from emorank.report.page import render, write
from emorank.report.rating_page import rating_page

HOSTILE = "<script>alert(1)</script>$x$"


@pytest.fixture(scope="module")
def ratings():
    rng = np.random.default_rng(2)
    words = ("None", "Minimal", "Average", "Strong", "Skip")
    rows = [
        {"image": f"i{i}", "emotion": emotion, "rater": f"{HOSTILE}{r}",
         "answer": words[min(4, int(rng.integers(12)) // 2)], "reaction_ms": 900}
        for i in range(20) for emotion in ("happy", HOSTILE) for r in range(3)
    ]  # fmt: skip
    rows += [row | {"repeat": True} for row in rows[:5]]
    return summarise(answers_table(rows), np.random.default_rng(0), resamples=100)


@pytest.fixture(scope="module")
def emotions():
    images = pd.DataFrame({"image": list("abcd"), "group": ["x", "x", HOSTILE, HOSTILE]})
    votes = EmotionVotes(images, ("happy", HOSTILE), np.array([[5, 2], [3, 4], [0, 7], [7, 0]]))
    return summarise_emotions(votes, np.random.default_rng(0), resamples=100)


@pytest.fixture(params=["ratings", "emotions"])
def found(request):
    return request.getfixturevalue(request.param)


def test_names_are_escaped(found):
    """A script in a title, an emotion or a rater's name is text."""
    page = render(rating_page(found, HOSTILE))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_the_page_tells_fast_answers():
    """Of all in a sentence, of each rater in the table."""
    rows = [
        {"image": name, "rater": "ann", "answer": "Strong", "reaction_ms": ms}
        for name, ms in (("a", 300), ("b", 900), ("c", 900), ("d", 499))
    ]
    found = summarise(answers_table(rows), np.random.default_rng(0), resamples=100)
    page = render(rating_page(found, "t"))
    assert "Of 4 timed answers 2 came under 0.5 s" in page
    assert "2 (50.0%)" in page


def test_the_same_summary_makes_the_same_page(found):
    """No date, no chance."""
    assert render(rating_page(found, "t")) == render(rating_page(found, "t"))


@pytest.mark.parametrize("answers", [[], [("a", "r", "Skip")], [("a", "r", "Strong")]])
def test_little_is_no_error(answers):
    """No answer, a skip, one vote: dashes and reasons."""
    rows = [dict(zip(("image", "rater", "answer"), row, strict=True)) for row in answers]
    found = summarise(answers_table(rows), np.random.default_rng(0), resamples=100)
    page = render(rating_page(found, "t"))
    assert "no unit has two votes" in page
    assert "Nothing is known about agreement yet" in page
    assert "agreement beyond chance" not in page  # a figure without a dot says nothing
    assert ">nan<" not in page


def test_a_page_is_there_whole_or_not_at_all(found, tmp_path):
    """Folders are made; the path comes back."""
    path = write(rating_page(found, "t"), tmp_path / "new" / "page.html")
    assert path.read_text().rstrip().endswith("</html>")
    assert [file.name for file in path.parent.iterdir()] == ["page.html"]


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)])
def test_the_page_fits_the_screen(chromium, found, tmp_path, width, height):
    """Nothing is wider than the screen, and nothing is asked of the network."""
    path = write(rating_page(found, "votes.csv"), tmp_path / "page.html")
    page = chromium.new_page(viewport={"width": width, "height": height})
    requests, complaints = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("[...document.images].every(i => i.naturalWidth > 0)")
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
    assert complaints == []
    dead = "[...document.querySelectorAll('a[href^=\"#\"]')].filter(a => !document."
    assert page.evaluate(dead + "querySelector(a.getAttribute('href'))).length") == 0
    page.close()
