"""The ordinal network of a study: trained on rated faces, used on new ones, refused without."""

import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock
from tests.conftest import EMOTIONS, PERSONS

from emorank import explain_intensity, train_ordinal
from emorank.errors import PlanError, StudyError, VotesError, WeightsError
from emorank.images import read
from emorank.networks import checkpoint, training
from emorank.networks.network import load_network
from emorank.study.folder import Study, open_study, write_json
from emorank.study.plan import override
from emorank.study.readers import reader_of
from emorank.vocabulary import LEVEL_COLUMNS, LEVELS

pytestmark = pytest.mark.weights

SHARES = [*LEVEL_COLUMNS]


@pytest.fixture(scope="module")
def study(tmp_path_factory, finished):
    """A study with an ordinal network; to be read only."""
    copy = open_study(shutil.copytree(finished, tmp_path_factory.mktemp("ordinal") / "study"))
    train_ordinal(copy)
    return copy


@pytest.fixture(scope="module")
def faces(drawn):
    """Two faces as the network sees them."""
    from emorank.framing import framed

    files = (drawn / "happy/p0.png", drawn / "anger/p1.png", drawn / "surprise/p2.png")
    return [framed(read(file), None, 64) for file in files]


def test_what_was_found_is_kept(study):
    """Where the votes came from, how many faces have each level, thresholds, curves, scores."""
    found = study.result("ordinal")
    assert set(found["faces"]) == {"train", "validation", "test"}
    counts = found["faces"]["train"]
    assert sum(counts[level] for level in LEVELS) == 3 * counts["persons"]
    assert found["thresholds"] == sorted(found["thresholds"])
    assert [row["epoch"] for row in found["curves"]] == [1, 2, 3, 4, 5, 6]
    scores = found["scores"]["test"]
    assert scores["count"] == np.sum(scores["confusion"]) > 0
    assert scores["quadratic_kappa"]["method"].startswith("bootstrap over")


def test_the_rank_keeps_its_contract(study, faces):
    """Emotion, level, score and four probabilities, which say the same as one another."""
    table = reader_of(study, ["ordinal"]).levels(faces)
    assert len(table) == 3
    assert {"predicted", "expressed", "level", "score", *SHARES} <= set(table.columns)
    assert str(table["level"].dtype) == "Int64"
    np.testing.assert_allclose(table[SHARES].sum(axis=1), 1)
    thresholds = np.array(study.result("ordinal")["thresholds"])
    reached = (table["score"].to_numpy()[:, None] >= thresholds).sum(axis=1)
    assert table["level"].to_list() == reached.tolist()
    below = table[SHARES].cumsum(axis=1).to_numpy()[:, :3]
    odds = table["score"].to_numpy()[:, None] - thresholds
    np.testing.assert_allclose(below, 1 / (1 + np.exp(odds)), rtol=1e-4)


def test_one_face_is_ranked_as_among_others(study, faces):
    """The order and number of faces change nothing."""
    ranks = reader_of(study, ["ordinal"]).levels
    one = pd.concat([ranks([face]) for face in reversed(faces)], ignore_index=True)[::-1]
    pd.testing.assert_frame_equal(one.reset_index(drop=True), ranks(faces), rtol=1e-4)


def test_the_test_persons_are_not_learnt_from(study, own_study, tmp_path):
    """Other votes on the test part change no weight."""
    votes = pd.read_csv(own_study.plan.validate.votes)
    split = own_study.table("split").set_index("image")["part"]
    tested = votes["image"].map(split) == "test"
    assert tested.any()
    votes.loc[tested, "rank"] = "Strong"
    votes.to_csv(tmp_path / "other.csv", index=False)
    train_ordinal(own_study, tmp_path / "other.csv")
    one, other = (
        checkpoint.load(s.path("ordinal.safetensors"), LEVELS[1:]) for s in (study, own_study)
    )
    assert one.thresholds == other.thresholds
    for a, b in zip(one.net.parameters(), other.net.parameters(), strict=True):
        assert a.equal(b)


def test_the_map_sums_to_what_is_explained(study, drawn):
    """Pixels, biases and what rules took make up the log-odds, which are score less threshold."""
    images = sorted((drawn / "happy").iterdir())[:2]
    found = list(explain_intensity(study, images))
    assert [one.row["image"] for one in found] == [str(image) for image in images]
    for one in found:
        np.testing.assert_allclose(one.odds, one.row["score"] - one.threshold, atol=1e-4)
        np.testing.assert_allclose(one.relevance.sum(), one.odds - one.bias - one.lost, atol=1e-3)
        np.testing.assert_allclose(
            1 / (1 + np.exp(-one.odds)),
            sum(one.row[p] for p in SHARES[LEVELS.index(one.upper) :]),
            rtol=1e-4,
        )
        assert one.row["rank"] in {one.upper, one.lower}
        assert (one.row["rank"] == one.lower) == (one.row["rank"] == "None")
        assert (one.odds >= 0) == (one.row["rank"] != "None")
        assert one.question.startswith(f"why {one.row['rank']} and not ")


def test_the_rules_are_the_plans(study, drawn):
    """Another preset, another map of the same log-odds."""
    changed = Study(study.folder, override(study.plan, {"explain.preset": "epsilon-plus"}))
    one, other = (
        next(iter(explain_intensity(s, [drawn / "happy/p0.png"]))) for s in (study, changed)
    )
    assert one.odds == pytest.approx(other.odds, abs=1e-5)
    assert np.abs(one.relevance - other.relevance).max() > 1e-6


def test_images_that_cannot_be_used_are_listed(study, drawn, tmp_path):
    """As with every other verb on new images."""
    (tmp_path / "broken.png").write_bytes(b"no image")
    faces = explain_intensity(study, [tmp_path / "broken.png", drawn / "happy/p0.png"])
    assert len(list(faces)) == 1
    assert [Path(error.file).name for error in faces.excluded] == ["broken.png"]


def test_anybody_can_read_the_network(study):
    """It is a VGG-16 with torchvision's keys, and names its outputs."""
    network = load_network(study.path("ordinal.safetensors"))
    assert network.architecture == "vgg16"
    assert network.classes == 9
    assert network.labels[3:6] == tuple(f"Happy at least {level}" for level in LEVELS[1:])


def test_a_classifier_is_no_ordinal_network(study):
    """Neither file passes for the other."""
    with pytest.raises(WeightsError, match="expected a classifier, found outputs Anger at least"):
        checkpoint.load(study.path("ordinal.safetensors"))
    with pytest.raises(WeightsError, match="expected an ordinal network with Minimal, Average"):
        checkpoint.load(study.path("model.safetensors"), LEVELS[1:])


def test_a_killed_training_goes_on(study, own_study, monkeypatch):
    """To the same network and the same curves, and the state is removed."""
    monkeypatch.setattr(training, "train", partial(training.train, save_every=0.0))

    def killed(done, total, note=""):
        if done == 4 and total == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_ordinal(own_study, progress=killed)
    assert own_study.path("ordinal.partial.safetensors").exists()
    assert not own_study.path("ordinal.json").exists()
    done = []
    train_ordinal(own_study, progress=lambda n, total, note="": done.append((n, total)))
    assert (3, 6) not in done
    assert (5, 6) in done
    assert not own_study.path("ordinal.partial.safetensors").exists()
    one, other = (s.path("ordinal.safetensors").read_bytes() for s in (study, own_study))
    assert one == other
    curves = [
        [row | {"seconds": 0} for row in s.result("ordinal")["curves"]] for s in (study, own_study)
    ]
    assert curves[0] == curves[1]


# --- Held wrong -------------------------------------------------------------------------------


def write(path, rank):
    """Votes of one rater who calls every face the same, or by a function of the person."""
    lines = ["image,rater,rank"]
    for emotion in EMOTIONS:
        lines += [f"{emotion}/{person}.png,r1,{rank(person)}" for person in PERSONS]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_without_votes_it_says_what_to_do(own_study):
    """Neither given nor named by the plan."""
    bare = Study(own_study.folder, override(own_study.plan, {"validate.votes": ""}))
    with pytest.raises(StudyError, match=r"nobody has rated its faces.*--votes FILE"):
        train_ordinal(bare)
    assert not bare.path("ordinal.safetensors").exists()


def test_votes_of_one_level_are_too_few(own_study, tmp_path):
    """What is missing is named."""
    votes = write(tmp_path / "strong.csv", lambda person: "Strong")
    with pytest.raises(StudyError, match="no face of its training part is Minimal or Average"):
        train_ordinal(own_study, votes)


def test_the_validation_persons_have_to_be_rated(own_study, tmp_path):
    """They choose the epoch."""
    faces = own_study.table("faces").merge(own_study.table("split"), on="image")
    validation = set(faces.loc[faces["part"] == "validation", "image"])
    votes = pd.read_csv(own_study.plan.validate.votes)
    votes[~votes["image"].isin(validation)].to_csv(tmp_path / "some.csv", index=False)
    with pytest.raises(StudyError, match="no face of its validation part is rated"):
        train_ordinal(own_study, tmp_path / "some.csv")


def test_votes_on_strangers_are_refused(own_study, tmp_path):
    """As the validation refuses them."""
    (tmp_path / "votes.csv").write_text("image,rater,rank\nsomebody.png,r1,Strong\n")
    with pytest.raises(VotesError, match=r"somebody\.png"):
        train_ordinal(own_study, tmp_path / "votes.csv")


def test_a_study_that_is_not_trained_cannot_name_emotions(own_study):
    """The classifier comes first."""
    write_json(own_study.path("stages.json"), {})
    with pytest.raises(StudyError, match="first: emorank train --study"):
        train_ordinal(own_study)


def test_a_rank_without_its_network_says_how_to_get_it(own_study, drawn):
    """For ranking and for explaining."""
    for use in (
        lambda: reader_of(own_study, ["ordinal"]),
        lambda: list(explain_intensity(own_study, [drawn / "happy/p0.png"])),
    ):
        with pytest.raises(StudyError, match=r"no ordinal network here.*emorank train --ordinal"):
            use()
    with pytest.raises(PlanError, match="'ordnal' is no rank"):
        reader_of(own_study, ["ordnal"])


def test_an_older_network_is_not_used(study, tmp_path):
    """Once the classifier is trained anew, so must the ordinal network be."""
    copy = open_study(shutil.copytree(study.folder, tmp_path / "study"))
    stages = pd.read_json(copy.path("stages.json"), typ="series").to_dict()
    write_json(copy.path("stages.json"), stages | {"train": {"key": "other", "outcome": "done"}})
    with pytest.raises(StudyError, match="was trained for an earlier plan or model"):
        reader_of(copy, ["ordinal"])


def test_two_trainings_at_once_are_refused(own_study):
    """One process at a time works on a study."""
    with FileLock(own_study.path(".lock")), pytest.raises(StudyError, match="another process"):
        train_ordinal(own_study)
