"""The model card as Markdown: whole, with parts missing, and with strangers' words in it."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml

from emorank.datasets.leakage import Leakage
from emorank.evaluation.group_scores import by_group, corrected
from emorank.report.card import ModelCard, plain, render
from emorank.results.groups import GroupResults
from emorank.study.plan import Plan, dump_plan


def plan():
    import tomllib

    return tomllib.loads(dump_plan(Plan()))


@pytest.fixture(scope="module")
def grouped():
    """Two groups of six persons each."""
    rows = [(f"p{i}", "happy", ("happy", "anger")[i % 3 == 0], "fm"[i % 2]) for i in range(12)]
    table = pd.DataFrame(rows, columns=["person", "emotion", "predicted", "gender"])
    table = table.assign(true_rank=-1, predicted_rank=-1)
    rng = np.random.default_rng(0)
    found = by_group(table, "gender", ("anger", "happy"), rng=rng, resamples=50, permutations=99)
    return GroupResults("persons.csv", False, 12, corrected([found]))


@pytest.fixture
def card(contents, grouped):
    """With everything in it."""
    return ModelCard(
        title="A small study",
        version="0.1.0",
        plan=plan(),
        data=contents.data,
        leakage=Leakage(12, 40, 0, None, 1, 36, ()),
        weights="ab" * 32,
        megabytes=232.3,
        epochs=(5, 0.75),
        emotions=contents.emotions,
        ranks=contents.validation,
        raters=3,
        audit="Do not believe them.",
        groups=grouped,
    )


def test_everything_is_on_it(card):
    """Data, licence, persons, plan, scores, baselines, leakage, groups, audit, limits."""
    text = render(card)
    for words in (
        "12 faces of 4 persons",
        "`model.safetensors` (232 MB)",
        "Licence of the data: CC0",
        "| split.by | person |",
        "5 epochs, best validation accuracy 0.75",
        "of 12 test images, 0 are of a person of the training part; not known how many of a "
        "sequence of it; 1 have near-identical pixels",
        "12 test images of 4 persons",
        "Those over 4 persons are rough",
        "always “",
        "Against 3 raters.",
        "Audit: Do not believe them.",
        "Groups from persons.csv",
        "permutation over 12 persons",
        "Regulation (EU) 2024/1689",
        "Article 5(1)(f)",
        "workplace and education",
        "Hiring, credit",
        "Policing",
        "Barrett",
    ):
        assert words in text, words
    assert "SIMULATED" not in text
    assert "None" not in text.split("---")[2].replace("None, Minimal", "")


def test_the_header_is_yaml(card):
    """What the hub reads: licence, tags, data set and the accuracy."""
    header = yaml.safe_load(render(card).split("---\n")[1])
    assert header["license"] == "other"
    assert "facial-expression-recognition" in header["tags"]
    assert header["datasets"] == ["toy"]
    metric = header["model-index"][0]["results"][0]["metrics"][0]
    assert metric == {"type": "accuracy", "value": card.emotions.accuracy.value}


@pytest.mark.parametrize(
    ("part", "empty", "said"),
    [
        ("data", None, "The study has no faces yet."),
        ("weights", None, "## Training"),
        ("epochs", None, "## Training"),
        ("emotions", None, "## How well: expressed emotion\n\nNot measured."),
        ("ranks", None, "**Not measured: no raters were asked.**"),
        ("groups", None, "## For whom: results by group\n\n**Not measured.**"),
        ("leakage", None, "Split by person"),
        ("audit", "", "## For whom"),
    ],
)
def test_what_is_missing_is_said(card, part, empty, said):
    """Every part may be missing, and the limits stay."""
    text = render(replace(card, **{part: empty}))
    assert said in text
    assert "## Not for" in text
    yaml.safe_load(text.split("---\n")[1])


def test_nothing_but_a_plan():
    """A study that has only begun has a card."""
    text = render(ModelCard("Begun", "0.1.0", plan()))
    assert "Nothing has been trained yet." in text
    assert "datasets" not in text.split("---\n")[1]


def test_simulated_is_called_simulated(card):
    """Faces, raters and groups, each where it applies, and in the header."""
    text = render(replace(card, data=replace(card.data, simulated=True), simulated_raters=True))
    assert "> **SIMULATED.** The faces are rendered" in text
    assert "Against 3 **simulated** raters." in text
    assert "simulated-data" in text.split("---\n")[1]
    groups = render(replace(card, groups=replace(card.groups, simulated=True)))
    assert "**Simulated persons.** Groups from" in groups


def test_a_person_in_both_parts_is_a_warning(card):
    """Leakage is said loudly."""
    leaked = Leakage(12, 40, 3, 0, 0, 36, ())
    assert "scores on strangers will be lower" in render(replace(card, leakage=leaked))
    assert "scores on strangers will be lower" not in render(card)


def test_strangers_words_stay_words(card):
    """A title with HTML, a table, a link or a line break in it changes nothing around it."""
    evil = "<script>x</script>\n---\n# [a](javascript:b) | `c`"
    data = replace(card.data, title=evil, licence=evil, citation=evil, url=f"https://x/{evil}")
    text = render(replace(card, title=evil, data=data))
    body = text.split("---\n", 2)[2]
    assert not re.search(r"(?<!\\)<script", body)
    assert not re.search(r"(?<!\\)\[a", body)
    assert body.count("\n# ") == 1
    header = yaml.safe_load(text.split("---\n")[1])
    assert header["model-index"][0]["name"] == evil
    assert plain("a|b\n*c*") == r"a\|b \*c\*"
