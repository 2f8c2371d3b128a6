"""A method's scores against those of raters."""

import numpy as np
import pandas as pd
from numpy.testing import assert_allclose
from scipy.stats import spearmanr

from emorank.evaluation.raters.against_scores import ALL, against_scores


def test_rho_for_each_emotion_and_over_persons():
    """As scipy's; missing scores are left out, and whole persons are drawn."""
    rng = np.random.default_rng(0)
    names = [f"p{i}" for i in range(40)]
    raters = pd.DataFrame(
        {"image": names, "emotion": ["happy", "fear"] * 20, "score": rng.normal(size=40)}
    )
    method = pd.DataFrame({"image": names, "score": raters["score"] + rng.normal(size=40)})
    method.loc[3, "score"] = np.nan
    persons = {name: f"person {i // 4}" for i, name in enumerate(names)}
    found = against_scores(raters, method, rng, persons=persons, resamples=200)
    assert [(one.emotion, one.faces) for one in found] == [(ALL, 39), ("fear", 19), ("happy", 20)]
    for one in found:
        here = raters["emotion"].isin([one.emotion] if one.emotion != ALL else ["happy", "fear"])
        here &= method["score"].notna()
        expected = spearmanr(raters["score"][here], method["score"][here])[0]
        assert_allclose(one.spearman.value, expected)
        assert one.spearman.low < expected < one.spearman.high
        assert "over 10 persons" in one.spearman.method
    apart = against_scores(raters, method, rng, together=False, resamples=100)
    assert [one.emotion for one in apart] == ["fear", "happy"]
    assert "images" in apart[0].spearman.method
