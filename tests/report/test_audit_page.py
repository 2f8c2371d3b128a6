"""The audit's section: every verdict said, every figure drawn, nothing for what is not known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.report.test_page import Outline

from emorank.evaluation.laboratory.examination import examine
from emorank.evaluation.laboratory.perturbation import CHANGES
from emorank.evaluation.statistics.columns import Options
from emorank.report.page import render, write
from emorank.report.sections import audit, audit_figures
from emorank.report.sections.audit_words import headline
from emorank.results.audit import Audit

EMOTIONS = ("anger", "happy", "surprise")


def simulated():
    """Faces of six persons: sequences of four frames, and a neutral face each."""
    rng = np.random.default_rng(0)
    rows = [
        (f"p{person}", emotion, f"{person}{emotion}", frame, frame / 4 - rng.uniform(0, 0.1))
        for person in range(6)
        for emotion in EMOTIONS
        for frame in range(1, 5)
    ]
    rows += [(f"p{person}", "neutral", None, None, 0.0) for person in range(6)]
    table = pd.DataFrame(rows, columns=["person", "emotion", "sequence", "frame", "intensity"])
    table["majority"] = np.ceil(table["intensity"] * 3).astype("Int64")
    table["mean"] = table["majority"].astype(float).where(table["majority"] > 0)
    table["voters"] = (table["majority"] > 0).astype(int) * 5
    table["brightness"] = rng.uniform(90, 160, len(table))
    table["image"] = [f"{i}.png" for i in table.index]
    return table


def said(table, noise, seed, constant=False):
    """A rank that follows the intensity more or less."""
    score = table["intensity"] + np.random.default_rng(seed).normal(0, noise, len(table))
    score = pd.Series(0.5, table.index) if constant else score
    level = pd.cut(score, [-9, 0.1, 0.4, 0.7, 9], labels=False).astype("Int64")
    return pd.DataFrame({"score": score, "level": level})


@pytest.fixture(scope="module")
def section():
    """A good rank, a noisy one and a control."""
    table, options = simulated(), Options(resamples=60)
    answers = {"evidence": said(table, 0.03, 1), "paper": said(table, 0.8, 2)}
    answers["constant"] = said(table, 0, 3, constant=True)
    rows = np.arange(0, len(table), 4)
    found = []
    for name, given in answers.items():
        after = {c: given.iloc[rows].assign(face=rows) for c in CHANGES}
        for number, some in enumerate(after.values()):
            some["score"] += np.random.default_rng(number).normal(0, 0.02 * number, len(some))
        morphs = table.assign(morph=table["sequence"], step=table["frame"], score=given["score"])
        kind = "control" if name == "constant" else "rank"
        more = {"changed": after, "morphs": morphs, "options": options}
        found.append(examine(name, kind, table, given, **more))
    whole = pd.concat([table.assign(rank=n, **g) for n, g in answers.items()], ignore_index=True)
    result = Audit(
        headline(found, None), len(table), 6, len(rows), None, tuple(found),
        {"ordinal": "no <ordinal> network here"}, ("Intervals over 6 persons are rough.",),
    )  # fmt: skip
    return result, whole


def test_the_section_says_every_verdict(contents, section):
    """The sentence first, then every rank with its word; what is missing with its reason."""
    outline = Outline(render(contents.page(audit.section(*section))))
    words = outline.words
    assert section[0].headline in words
    assert words.index(section[0].headline) < words.index("Every rank, with 95")
    for text in ("✓ good", "✗ bad", "no <ordinal> network here", "Intervals over 6 persons"):
        assert text in words
    links = [a["href"] for tag, a in outline.tags if tag == "a"]
    assert "#audit" in links


def test_what_the_ranks_were_asked_is_said(contents, section):
    """In the sentence at the top where it is the label, and under it in any case."""
    result, table = section
    assert "asked" not in result.headline
    said_of_label = headline(result.ranks, None, asked=True)
    assert said_of_label.endswith("tried, asked about the emotion of the label).")
    for asked, words in ((False, "that the network names"), (True, "is labelled with, which")):
        page = render(contents.page(audit.section(replace(result, asked=asked), table)))
        assert words in page


def test_without_an_audit_there_is_no_section(contents):
    """Neither a heading nor an entry in the table of contents."""
    assert "How far the ranks can be believed" not in render(
        contents.page(audit.section(None, None))
    )


def test_where_nothing_is_known_nothing_is_drawn(contents, section):
    """Photographs without votes, sequences or neutral faces: tables, no figure that needs them."""
    table = simulated().assign(intensity=np.nan, sequence=None, voters=0)
    table["mean"], table["majority"] = np.nan, pd.array([pd.NA] * len(table), dtype="Int64")
    table = table[table["emotion"] != "neutral"].reset_index(drop=True)
    found = (examine("paper", "rank", table, said(simulated(), 0.1, 1).iloc[: len(table)]),)
    result = replace(section[0], headline=headline(found, None), ranks=found, tried=0)
    words = render(contents.page(audit.section(result, table.assign(rank="paper"))))
    assert "cannot be said" in words
    assert "of each frame along every sequence" not in words
    assert "A dot is a test face" not in words


def test_the_transitions_show_every_frame(section):
    """A mark per frame of each sequence, darker for stronger."""
    figure = audit_figures.transitions(section[1], "evidence")
    panels = [axes for axes in figure.axes if axes.get_title(loc="left") or axes.get_title()]
    assert len(panels) == len(EMOTIONS)
    marks = [line for axes in panels for line in axes.get_lines() if len(line.get_xdata())]
    assert len(marks) == 6 * len(EMOTIONS) * 4


def test_the_page_with_an_audit_fits_a_phone(chromium, contents, section, tmp_path):
    """Nothing is wider than the screen; nothing is complained of."""
    path = write(contents.page(audit.section(*section)), tmp_path / "index.html")
    page = chromium.new_page(viewport={"width": 390, "height": 844})
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert complaints == []
    page.close()


def test_a_long_name_does_not_break_the_tables(section):
    """Names come from files."""
    odd = replace(section[0].ranks[0], rank="<b>" + "x" * 80)
    assert len(audit.ranks_table([odd])) == 1
    assert "<b>" in audit.verdicts([odd], None).popitem()[0]
    audit_figures.calibration([odd], "known intensity")
    audit_figures.stability([odd])
