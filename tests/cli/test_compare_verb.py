"""`emorank compare`: what it prints, where it writes, how it refuses."""

import pytest

from emorank.baselines import ESTIMATORS
from emorank.study.comparing import asking
from emorank.study.comparing import described_faces as features
from emorank.study.verbs import compare_estimators as module


@pytest.mark.weights
def test_a_study_is_compared(cli, own_study, monkeypatch):
    """Tables and notes on stdout, files in the study, a section in the report."""
    few = {name: ESTIMATORS[name] for name in ("delannoy_mcdonald", "majority")}
    for place in (module, asking, features):
        monkeypatch.setattr(place, "ESTIMATORS", few)
    ranks = {name: module.RANKS[name] for name in ("paper", "logit")}
    monkeypatch.setattr(module, "RANKS", ranks)
    done = cli("compare", own_study.folder, "--against", "logit")
    assert done.code == 0, done.err
    for words in ("Delannoy 2008 (SVM)", "Majority", "Logit in thirds", "A rater at random"):
        assert words in done.out
    assert "All are tested against “Logit in thirds”" in done.out
    assert (own_study.path("table_10") / "table_10.tex").is_file()
    page = (own_study.path("report") / "index.html").read_text()
    assert 'id="comparison"' in page


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--folds", "2"], "--folds 2: expected 3 to 8"),
        (["--votes", "nowhere.csv"], "nowhere.csv"),
    ],
)
@pytest.mark.weights
def test_it_refuses_in_one_line(cli, own_study, options, says):
    """Nothing is written."""
    done = cli("compare", own_study.folder, *options)
    assert says in done.failure
    assert not own_study.path("comparison.json").exists()


def test_no_study_no_comparison(cli, tmp_path):
    """The folder must hold one."""
    assert "no study here" in cli("compare", tmp_path).failure
