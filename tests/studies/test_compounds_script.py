"""The script behind docs/compounds.md: what it measures on made-up ratings, and on MDNS."""

import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from emorank.ranking.compounds import COMPOUNDS

ROOT = Path(__file__).parents[2]
MDNS = ROOT.parent / "shared" / "data" / "mdns_votes"
script = runpy.run_path(str(ROOT / "studies" / "compounds.py"))
WORDS = {"anger": "angry", "happy": "happy", "sadness": "sad"}


def ratings(rng, follow):
    """Sixty faces; the compounds are the geometric mean of the parts, or nobody's business."""
    basic, compound = {}, {}
    for number in range(60):
        true = rng.uniform(0, 4, 6)
        words = ("angry", "happy", "sad", "fear", "surprise", "disgust")
        level = {WORDS.get(w, w): v for w, v in zip(words, true, strict=True)}
        basic[str(number)] = {w: [round(v)] * 9 for w, v in zip(words, true, strict=True)}
        compound[str(number)] = {}
        for c in COMPOUNDS:
            first, second = (level[WORDS.get(part.value, part.value)] for part in c.parts)
            value = np.sqrt(first * second) if follow else rng.uniform(0, 4)
            compound[str(number)][script["mdns"](c)] = [round(value)] * 6
    return basic, compound


def score(found, compound, predictor):
    rows = found[(found["compound"] == compound) & (found["predictor"] == predictor)]
    assert len(rows) == 1
    return rows.iloc[0]


@pytest.mark.parametrize("follow", [True, False])
def test_it_finds_what_is_there_and_nothing_else(follow):
    """Made by the rule, the compounds are predicted by it; made at random, they are not."""
    found = script["study"](*ratings(np.random.default_rng(3), follow), resamples=60)
    ours = score(found, script["ALL"], "geometric")
    assert ours["spearman_low"] <= ours["spearman"] <= ours["spearman_high"]
    if follow:
        assert ours["spearman"] > 0.85
        assert score(found, script["ALL"], script["HALF"])["spearman"] == pytest.approx(1)
        assert score(found, script["ALL"], f"geometric less {script['WRONG']}")["spearman_low"] > 0
    else:
        assert ours["spearman_low"] < 0 < ours["spearman_high"]
        assert ours["auc"] == pytest.approx(0.5, abs=0.1)


@pytest.mark.skipif(not MDNS.is_dir(), reason="votes not present: ../shared/data/mdns_votes")
def test_the_shipped_table_is_what_the_script_finds():
    """`studies/compounds.csv` holds today's numbers; intervals of few draws are not compared."""
    found = script["study"](*script["read"](MDNS), resamples=3)
    shipped = pd.read_csv(ROOT / "studies" / "compounds.csv")
    assert len(shipped) == len(found)
    for column in ("spearman", "auc", "kappa"):
        np.testing.assert_allclose(found[column].to_numpy(float), shipped[column], atol=1e-4)
