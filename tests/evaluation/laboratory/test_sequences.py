"""Scores along frames from neutral to peak."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from emorank.evaluation.laboratory.sequences import sequences
from emorank.evaluation.statistics.columns import Options

FEW = Options(resamples=50)


def frames(number=8, length=5, seed=0):
    """Sequences of two emotions and four persons, their frames in any order."""
    table = pd.DataFrame(
        {
            "sequence": np.repeat([f"s{k}" for k in range(number)], length),
            "frame": np.tile(np.arange(1, length + 1), number),
            "emotion": np.repeat([("fear", "happy")[k % 2] for k in range(number)], length),
            "person": np.repeat([f"p{k % 4}" for k in range(number)], length),
        }
    )
    rng = np.random.default_rng(seed)
    table["score"] = table["frame"] + rng.normal(0, 1.5, len(table)).round()
    return table.sample(frac=1, random_state=seed)


def along(table):
    columns = ("score", "sequence", "frame", "emotion", "person")
    return sequences(*(table[name] for name in columns), FEW)


def test_the_mean_is_that_of_scipy():
    """Mean rho, and the share of rising steps with ties as halves."""
    table = frames()
    found = along(table)
    groups = [g.sort_values("frame") for _, g in table.groupby("sequence")]
    rho = [stats.spearmanr(g["score"], g["frame"]).statistic for g in groups]
    steps = np.concatenate([np.diff(g["score"]) for g in groups])
    assert found.count == 8
    assert found.spearman.value == pytest.approx(np.mean(rho))
    assert found.rising.value == pytest.approx(((np.sign(steps) + 1) / 2).mean())
    fear = [np.diff(g["score"]) for g in groups if g["emotion"].iloc[0] == "fear"]
    assert found.emotions["fear"].value == pytest.approx(
        ((np.sign(np.concatenate(fear)) + 1) / 2).mean()
    )
    assert found.rising.low <= found.rising.value <= found.rising.high


def test_a_perfect_score_rises_at_every_step():
    """Rho 1, all steps up."""
    table = frames()
    found = along(table.assign(score=table["frame"] ** 2))
    assert (found.spearman.value, found.rising.value, found.rising.low) == (1, 1, 1)


def test_a_constant_score_has_no_rho_and_rises_by_chance():
    """Constant sequences are counted; a step that changes nothing counts half."""
    found = along(frames().assign(score=1.0))
    assert found.constant == found.count == 8
    assert found.spearman.value is None
    assert "same along every sequence" in found.spearman.reason
    assert found.rising.value == 0.5


def test_short_and_unknown_sequences_are_passed_over():
    """A sequence of two frames is too short, and a face without a sequence is left out."""
    table = frames(length=2)
    assert along(table).spearman.value is None
    assert "three" in along(table).spearman.reason or "3" in along(table).spearman.reason
    lost = frames().assign(sequence=None)
    assert along(lost).count == 0


def test_frames_without_a_score_are_passed_over():
    """The other frames keep their order."""
    table = frames().sort_values(["sequence", "frame"]).reset_index(drop=True)
    table["score"] = table["frame"].astype(float)
    table.loc[table["frame"] == 3, "score"] = np.nan
    assert along(table).spearman.value == 1
