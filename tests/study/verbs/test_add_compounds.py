"""Compounds of faces of a study: on the command line, in a table, refused where none are."""

import numpy as np
import pandas as pd
import pytest

from emorank.errors import StudyError
from emorank.reading.reader import RankedFace
from emorank.study.verbs.add_compounds import add_compounds

pytestmark = pytest.mark.weights


def face(rank="Average", **probabilities):
    """A face as the study names it; its pixels say nothing."""
    predicted = max(probabilities, key=probabilities.get)
    row = {"image": "a.png", "predicted": predicted, "expressed": predicted, "rank": rank, "n_1": 1}
    row |= {f"p_{emotion}": p for emotion, p in probabilities.items()}
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    return RankedFace(pixels, row)


def test_both_parts_are_ranked(own_study):
    """The lower rank of the two; the other part's rank comes from a relevance map of its own."""
    given = face(anger=0.45, happy=0.05, surprise=0.5)
    row = next(add_compounds(own_study, [given])).row
    assert row["compound"] == "angrily surprised"
    assert row["compound_share"] == pytest.approx(2 * np.sqrt(0.45 * 0.5))
    assert row["compound_rank"] in {"Minimal", "Average"}
    minimal = face(rank="Minimal", anger=0.45, happy=0.05, surprise=0.5)
    assert next(add_compounds(own_study, [minimal])).row["compound_rank"] == "Minimal"


def test_one_part_alone_is_none(own_study):
    """The nearest compound is named, and its rank says that it is not there."""
    row = next(add_compounds(own_study, [face(anger=0.9, happy=0.04, surprise=0.06)])).row
    assert row["compound"] == "angrily surprised"
    assert row["compound_rank"] == "None"


def test_no_pair_to_name(own_study):
    """A network of happy and neutral is told what a compound needs."""
    with pytest.raises(StudyError, match="needs two emotions"):
        next(add_compounds(own_study, [face(happy=0.6, neutral=0.4)]))


def test_from_the_shell(cli, own_study, drawn, tmp_path):
    """`--compounds` adds its columns to the table and one to the terminal."""
    image, out = drawn / "happy" / "p1.png", tmp_path / "ranks.csv"
    found = cli("rank", image, "--study", own_study.folder, "--compounds", "--out", out)
    assert found.code == 0, found.err
    table = pd.read_csv(out, keep_default_na=False)
    assert {"compound", "compound_share", "compound_rank"} <= set(table.columns)
    shown = cli("rank", image, "--study", own_study.folder, "--compounds")
    assert "together" in shown.out
    assert "compound" not in pd.read_csv(_plain(cli, image, own_study, tmp_path)).columns
    alone = cli("rank", "--study", own_study.folder, "--compounds")
    assert alone.code == 2
    assert "--compounds and --emotion go with IMAGES" in alone.err


def _plain(cli, image, study, tmp_path):
    out = tmp_path / "plain.csv"
    assert cli("rank", image, "--study", study.folder, "--out", out).code == 0
    return out
