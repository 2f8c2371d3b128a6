"""Results by group on the page: table, figure, sentences."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from emorank.evaluation.group_scores import by_group, corrected
from emorank.report import style
from emorank.report.page import render, write
from emorank.report.sections import groups as section
from emorank.results.groups import GroupResults


def attribute(persons, name="gender"):
    """Two groups, one of which is recognised in half of the images."""
    rows = [
        (f"p{i}", "happy", "anger" if i % 2 and k % 2 else "happy", k % 3, (k + i) % 3, "fm"[i % 2])
        for i in range(persons)
        for k in range(4)
    ]
    names = ["person", "emotion", "predicted", "true_rank", "predicted_rank", name]
    table = pd.DataFrame(rows, columns=names)
    rng = np.random.default_rng(0)
    return by_group(table, name, ("anger", "happy"), rng=rng, resamples=50, permutations=199)


@pytest.fixture(scope="module")
def results():
    return GroupResults("a <b>table</b>", False, 88, corrected([attribute(20), attribute(2)]))


def test_the_table_has_all_scores(results):
    """A row per group; small groups have a star."""
    large, small = map(section.columns, results.attributes)
    assert large["Group"].tolist() == ["f", "m"]
    assert large["Persons"].tolist() == ["10", "10"]
    assert small["Persons"].tolist() == ["1 *", "1 *"]
    assert large["Emotion"].tolist() == ["1.00 [1.00, 1.00]", "0.50 [0.50, 0.50]"]
    assert {"Ranked", "Rank", "Constant rank", "Kappa"} <= set(large.columns)


def test_what_the_tests_say(results):
    """A difference with its p, and one sentence for all that was not tested."""
    large, small = map(section.differences, results.attributes)
    assert large[0].startswith(
        "Emotion accuracy: differs between the groups (f, m; largest gap 0.5"
    )
    assert len(small) == 1
    assert small[0].startswith("Not tested: emotion accuracy, emotion balanced accuracy, rank")


@pytest.mark.parametrize(("adjusted", "differs"), [(0.049, True), (0.05, False), (None, False)])
def test_only_a_corrected_p_shows_a_difference(results, adjusted, differs):
    """One test among many: a p of 0.001 says nothing where Holm's correction makes it 0.05."""
    large = results.attributes[0]
    test = replace(large.differences[0], p=0.001, adjusted=adjusted)
    (sentence,) = section.differences(replace(large, differences=(test,)))
    assert ("differs between the groups" in sentence) == differs
    assert ("no difference shown" in sentence) != differs
    assert "p = 0.001, corrected" in sentence
    tiny = replace(test, p=0.0001, adjusted=0.0002)
    (sentence,) = section.differences(replace(large, differences=(tiny,)))
    assert "p < 0.001, corrected < 0.001" in sentence


def test_five_persons_are_no_small_group(results):
    """The star stands where fewer than five persons are; images count where none is known."""
    large = results.attributes[0]
    four, five, unknown = (
        replace(large.groups[0], persons=persons, images=4) for persons in (4, 5, None)
    )
    table = section.columns(replace(large, groups=(four, five, unknown)))
    assert table["Persons"].tolist() == ["4 *", "5", "– *"]


def test_the_figure_shows_intervals_only(results):
    """Scores of one person have no interval and make no figure."""
    large, small = map(section.figure, results.attributes)
    assert small is None
    assert style.png(large).startswith(b"\x89PNG")


def test_on_the_page(contents, results):
    """A section of its own, an entry in the contents, and what is simulated is called so."""
    page = render(contents.page(section.section(results)))
    assert page.count('id="groups"') == 1
    assert 'href="#groups"' in page
    assert "a &lt;b&gt;table&lt;/b&gt;" in page
    assert "SIMULATED PERSONS" not in page
    assert "SIMULATED PERSONS" in section.section(replace(results, simulated=True)).body
    assert 'id="groups"' not in render(contents.page(section.section(None)))


def test_it_fits_a_phone(chromium, contents, results, tmp_path):
    """Nothing is wider than a small screen, and every link leads somewhere."""
    path = write(contents.page(section.section(results)), tmp_path / "index.html")
    page = chromium.new_page(viewport={"width": 390, "height": 844})
    page.goto(path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    dead = "[...document.querySelectorAll('a[href^=\"#\"]')].filter(a => !document.querySelector("
    assert page.evaluate(dead + "a.getAttribute('href'))).length") == 0
    page.close()
