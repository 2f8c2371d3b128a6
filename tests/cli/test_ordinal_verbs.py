"""`emorank train --ordinal` and `emorank explain --rank ordinal`."""

import shutil

import pandas as pd
import pytest
from PIL import Image

from emorank.study.folder import open_study

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def ordinal(tmp_path_factory, finished):
    """The folder of a study with an ordinal network; to be read only."""
    from emorank.study.learning.train_ordinal import train_ordinal

    folder = shutil.copytree(finished, tmp_path_factory.mktemp("ordinal") / "study")
    train_ordinal(open_study(folder))
    return folder


def test_training_leaves_a_network_and_a_new_report(cli, own_study, votes):
    """With votes of one's own; the stages stay done."""
    report = own_study.path("report/index.html")
    before = report.stat().st_mtime_ns
    done = cli("train", "--ordinal", "--study", own_study.folder, "--votes", votes)
    assert done.code == 0, done.err
    assert "✓ ordinal: " in done.err
    assert "quadratic kappa of the" in done.err
    assert own_study.path("ordinal.safetensors").exists()
    assert own_study.result("ordinal")["votes"] == str(votes)
    assert report.stat().st_mtime_ns > before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("train", "--votes", "votes.csv"), "--votes goes with --ordinal"),
        (("train", "--ordinal", "--set", "train.epochs=3"), "--set goes with a training of"),
        (("explain", "--rank", "ordinal"), "--rank ordinal goes with IMAGES"),
    ],
)
def test_what_does_not_go_together_is_refused(cli, finished, words, said):
    """A word on how to do it, and nothing done."""
    done = cli(*words, "--study", finished)
    assert done.code == 2
    assert said in done.err
    assert not (finished / "ordinal.json").exists()


def test_weights_alone_have_no_rank(cli, ordinal, drawn):
    """A bare checkpoint has no thresholds and no classifier beside it."""
    weights = ordinal / "ordinal.safetensors"
    image = drawn / "happy/p0.png"
    done = cli("explain", image, "--weights", weights, "--rank", "ordinal")
    assert done.code == 2
    assert "not with --set or --rank" in done.err


def test_a_figure_for_each_face(cli, ordinal, drawn, tmp_path):
    """Why this level and not the next, as a PNG."""
    out = tmp_path / "maps"
    done = cli("explain", drawn / "happy/p0.png", drawn / "anger/p1.png",
               "--study", ordinal, "--rank", "ordinal", "--out", out)  # fmt: skip
    assert done.code == 0, done.err
    assert done.out.split() == [str(out / f"{name}_1_relevance.png") for name in ("p0", "p1")]
    with Image.open(out / "p0_1_relevance.png") as image:
        image.load()
        assert min(image.size) > 400


def test_the_relevance_of_many_faces_says_which_question_it_answers(cli, ordinal, drawn, tmp_path):
    """In the row of each."""
    done = cli("explain", drawn / "happy/p0.png", "--study", ordinal, "--rank", "ordinal",
               "--save", tmp_path / "maps")  # fmt: skip
    assert done.code == 0, done.err
    (row,) = pd.read_parquet(tmp_path / "maps" / "ranks").itertuples()
    assert row.question.startswith("why ")
    assert (tmp_path / "maps" / "maps" / row.maps).is_file()


def test_the_outputs_can_be_explained_one_by_one(cli, ordinal, drawn, tmp_path):
    """The network's own file, an output by its name."""
    done = cli("explain", drawn / "happy/p0.png", "--weights", ordinal / "ordinal.safetensors",
               "--target", "Happy at least Strong", "--out", tmp_path)  # fmt: skip
    assert done.code == 0, done.err
    assert (tmp_path / "p0_1_relevance.png").exists()


def test_without_a_network_it_says_how_to_get_one(cli, finished, drawn, tmp_path):
    """The command, and no figure."""
    done = cli("explain", drawn / "happy/p0.png", "--study", finished,
               "--rank", "ordinal", "--out", tmp_path / "maps")  # fmt: skip
    assert "emorank train --ordinal --study" in done.failure
    assert not (tmp_path / "maps").exists()
