"""`emorank calibrate` and `emorank rank --rank`."""

import re

import numpy as np
import pandas as pd
import pytest

pytestmark = pytest.mark.weights

MADE_OF = ["net", "mass", "balance", "brows", "eyes", "nose", "mouth"]
TOLD = ["image", "face", "predicted", "p_anger", "p_happy", "p_surprise", "logit",
        "expressed", "expressed_p", "expressed_logit", *MADE_OF]  # fmt: skip
SHARES = ["p_none", "p_minimal", "p_average", "p_strong"]


def test_calibrating_prints_what_counts_and_renews_the_report(cli, own_rated, votes):
    """Coefficients, the curve, two files, a new report."""
    report = own_rated.path("report/index.html")
    before = report.stat().st_mtime_ns
    done = cli("calibrate", "--study", own_rated.folder, "--votes", votes)
    assert done.code == 0, done.err
    assert "fitted on 12 rated faces of 4 persons" in done.out
    for word in ("contrast", "mass", "balance"):
        assert re.search(rf"{word}\s+[+−]?\d+\.\d\d\s+[+−]?\d+\.\d\d to [+−]?\d+\.\d\d", done.out)
    assert re.search(r"^\s*12\s+4\.0\s", done.out, re.MULTILINE)
    assert own_rated.result("calibration")["rated"]["images"] == 12
    assert own_rated.result("evidence") is not None
    assert report.stat().st_mtime_ns > before


def test_the_shipped_network_is_calibrated_on_ones_own_faces(cli, drawn, votes, tmp_path):
    """Tested on all of them, fitted on all, and every person tested by a model of others."""
    out = tmp_path / "mine"
    begun = ("run", "--network", "ready", "--data", drawn, "--crop", "none", "--out", out)
    assert cli(*begun, "--votes", votes, "--set", "validate.resamples=100").code == 0
    done = cli("calibrate", "--study", out)
    assert done.code == 0, done.err
    assert "fitted on 24 rated faces of 8 persons, none of whom the network is known" in done.out
    assert re.search(r"contrast +[+−]?\d\.\d\d +[+−]?\d\.\d\d to [+−]?\d\.\d\d rough", done.out)
    assert "in 5 folds of persons, each by a model fitted on the others: " in done.out
    ranked = cli("rank", drawn / "happy/p0.png", "--study", out, "--rank", "calibrated")
    assert ranked.code == 0, ranked.err
    refused = cli("calibrate", "--study", out, "--from", out)
    assert "fit the calibrated rank of that study" in refused.failure


def test_the_report_can_wait(cli, own_rated):
    """With --no-report it is left as it is."""
    before = own_rated.path("report/index.html").stat().st_mtime_ns
    done = cli("calibrate", "--study", own_rated.folder, "--no-report")
    assert done.code == 0, done.err
    assert own_rated.path("report/index.html").stat().st_mtime_ns == before


def test_too_few_rated_faces_fail_with_a_way_out(cli, own_study):
    """One line, and nothing written."""
    done = cli("calibrate", "--study", own_study.folder)
    assert "have more faces of the validation part rated" in done.failure
    assert not own_study.path("calibration.json").exists()
    assert not own_study.path("evidence.json").exists()


@pytest.mark.parametrize(
    "words", [("--penalty", "-1"), ("--crossfit", "-3"), ("--votes", "nowhere.csv")]
)
def test_options_that_are_not_possible_are_refused(cli, own_rated, words):
    """No penalty below 0, no folds below 0, no file that is not there."""
    done = cli("calibrate", "--study", own_rated.folder, *words)
    assert done.code in (1, 2)
    assert "Traceback" not in done.err
    assert not own_rated.path("calibration.json").exists()


@pytest.mark.parametrize(
    ("method", "more"), [("evidence", []), ("calibrated", [*SHARES, "contrast"])]
)
def test_images_into_a_table(cli, own_rated, drawn, tmp_path, method, more):
    """What the rank is made of, score, rank in words, abstentions; the same on the terminal."""
    assert cli("calibrate", "--study", own_rated.folder, "--no-report").code == 0
    ask = ("rank", drawn / "happy", "--study", own_rated.folder, "--rank", method)
    out = tmp_path / "ranks.csv"
    done = cli(*ask, "--out", out)
    assert done.out == f"8 faces: {out}\n"
    table = pd.read_csv(out, keep_default_na=False, na_values=[""])
    assert set(table.columns) == {*TOLD, *more, "score", "rank", "abstained"}
    assert table["image"].to_list() == [str(drawn / f"happy/p{i}.png") for i in range(8)]
    assert set(table["rank"].dropna()) <= {"None", "Minimal", "Average", "Strong"}
    assert (table["rank"].isna() == table["abstained"]).all()
    if more:
        np.testing.assert_allclose(table[SHARES].sum(axis=1), 1, atol=1e-6)
    else:
        assert not table["abstained"].any()
    lines = [line for line in cli(*ask).out.splitlines() if ".png" in line]
    assert len(lines) == 8
    for line, rank in zip(lines, table["rank"].fillna("unsure"), strict=True):
        assert rank in line.split()


@pytest.mark.parametrize("method", ["evidence", "calibrated"])
def test_the_test_part_into_the_study(cli, own_rated, method):
    """A table beside the paper's, which stays, and the agreement with the votes."""
    assert cli("calibrate", "--study", own_rated.folder, "--no-report").code == 0
    before = own_rated.path("ranks.parquet").read_bytes()
    done = cli("rank", "--study", own_rated.folder, "--rank", method)
    assert done.code == 0, done.err
    assert f"6 faces: {own_rated.path(f'ranks_{method}.parquet')}" in done.out
    assert "ranks abstained from: " in done.out
    assert "Spearman with the known intensity, within emotion: " in done.out
    assert own_rated.path("ranks.parquet").read_bytes() == before
    assert len(own_rated.table(f"ranks_{method}")) == 6


def test_without_a_calibration_it_says_what_to_do(cli, own_rated, drawn, tmp_path):
    """On images and on the study, and no table is begun."""
    out = tmp_path / "ranks.csv"
    for more in ((), (drawn / "happy/p0.png", "--out", out)):
        done = cli("rank", *more, "--study", own_rated.folder, "--rank", "calibrated")
        assert "emorank calibrate --study" in done.failure
    assert not out.exists()
    assert not own_rated.path("ranks_calibrated.parquet").exists()


def test_the_evidence_is_the_default_where_nobody_is_neutral(cli, finished, drawn):
    """Named or not, the same output."""
    ask = ("rank", drawn / "happy/p0.png", drawn / "anger/p1.png", "--study", finished)
    plain, named = cli(*ask), cli(*ask, "--rank", "evidence")
    assert plain.code == named.code == 0
    assert plain.out == named.out
    assert "score" in plain.out


@pytest.mark.parametrize("name", ["best", "logit"])
def test_an_unknown_rank_is_refused_by_name(cli, finished, drawn, name):
    """On images and on the study; a score without levels is no rank."""
    for more in ((), (drawn / "happy/p0.png",)):
        done = cli("rank", *more, "--study", finished, "--rank", name)
        assert f"'{name}' is no rank; expected one of contrast, paper" in done.failure


def test_compounds_go_with_the_papers_rank(cli, finished, drawn):
    """A word on it, and nothing done."""
    done = cli("rank", drawn / "happy/p0.png", "--study", finished, "--rank", "evidence",
               "--compounds")  # fmt: skip
    assert done.code == 2
    assert "--compounds goes with --study, with --rank paper" in done.err
