"""`emorank calibrate`, and `emorank rank --rank` with what it gives."""

import json
import shutil

import pandas as pd
import pytest

pytestmark = pytest.mark.weights


@pytest.fixture
def folder(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "study")


def test_from_votes_to_ranks(cli, folder, drawn, tmp_path):
    """Which features count, how many faces are enough; then new faces, and the test part."""
    early = cli("rank", drawn / "happy/p0.png", "--study", folder, "--rank", "calibrated")
    assert "emorank calibrate" in early.failure
    done = cli("calibrate", "--study", folder, "--crossfit", 3)
    assert done.code == 0, done.err
    assert "rated faces of 6 persons" in done.out
    assert {"balance", "net", "mass"} <= set(done.out.split())
    assert json.loads((folder / "calibration.json").read_text())["after"] == "train"
    for rank in ("evidence", "calibrated"):
        out = tmp_path / f"{rank}.csv"
        told = cli("rank", drawn / "happy", "--study", folder, "--rank", rank, "--out", out)
        assert told.code == 0, told.err
        table = pd.read_csv(out)
        assert {"image", "predicted", "rank", "abstained", "score"} <= set(table)
        assert len(table) == 8
        assert ("p_strong" in table) == (rank == "calibrated")
        tested = cli("rank", "--study", folder, "--rank", rank)
        assert tested.code == 0
        assert "quadratic kappa" in tested.out
        assert (folder / f"ranks_{rank}.parquet").exists()


def test_on_the_terminal(cli, folder, drawn):
    """A line for each face; a rank that there is not is an error that names the others."""
    done = cli("rank", drawn / "happy/p0.png", "--study", folder, "--rank", "evidence")
    assert done.code == 0
    assert "p0.png" in done.out
    assert "score" in done.out
    wrong = cli("rank", drawn / "happy/p0.png", "--study", folder, "--rank", "strength")
    assert "evidence" in wrong.failure


def test_the_papers_rank_is_the_default(cli, folder, drawn, tmp_path):
    """With its columns as ever."""
    for name, more in (("a", ()), ("b", ("--rank", "paper"))):
        cli(
            "rank",
            drawn / "happy/p0.png",
            "--study",
            folder,
            "--out",
            tmp_path / f"{name}.csv",
            *more,
        )
    one, two = (pd.read_csv(tmp_path / f"{name}.csv") for name in "ab")
    pd.testing.assert_frame_equal(one, two)
    assert {"zero", "n_1", "n_10", "value_3"} <= set(one)
