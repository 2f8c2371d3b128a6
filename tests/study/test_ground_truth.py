"""What is known of the faces of a study, and from whom."""

import pandas as pd
import pytest

from emorank.errors import VotesError
from emorank.study.folder import Study
from emorank.study.ground_truth import ground_truth
from emorank.study.plan import override

pytestmark = pytest.mark.weights


def planned(study, **changes):
    """The study with another plan."""
    changes = {f"validate.{key}": value for key, value in changes.items()}
    return Study(study.folder, override(study.plan, changes))


@pytest.fixture
def voted(own_study, tmp_path):
    """Truth from lines of votes, as `image rater rank`."""

    def truth(*lines, ties="median"):
        path = tmp_path / "some.csv"
        rows = [line.replace(" ", ",") for line in ("image rater rank", *lines)]
        path.write_text("\n".join(rows) + "\n")
        return ground_truth(planned(own_study, ties=ties), path).set_index("image")

    return truth


def test_every_face_in_the_order_of_the_faces(own_study):
    """The plan's votes where no others are given: all voted on, by three."""
    table = ground_truth(own_study)
    assert table["image"].to_list() == own_study.table("faces")["image"].to_list()
    assert set(table["level"]) == {1, 2, 3}
    assert (table["voters"] == 3).all()
    assert table["mean"].between(1, 3).all()


def test_majority_mean_and_voters(voted):
    """Of those who voted; who has no vote has nothing."""
    table = voted("happy/p0.png a Strong", "happy/p0.png b Strong", "happy/p0.png c Minimal")
    row = table.loc["happy/p0.png"]
    assert (row["level"], row["voters"]) == (3, 3)
    assert row["mean"] == pytest.approx(7 / 3)
    others = table.drop("happy/p0.png")
    assert others[["level", "mean"]].isna().all(axis=None)


@pytest.mark.parametrize(("ties", "level"), [("median", 1), ("disputed", pd.NA)])
def test_a_tie_is_the_plans_to_settle(voted, ties, level):
    """By the median, or not at all; the mean is known all the same."""
    row = voted("happy/p0.png a Strong", "happy/p0.png b Minimal", ties=ties).loc["happy/p0.png"]
    assert row["level"] is level or row["level"] == level
    assert row["mean"] == 2


def test_who_sees_no_such_emotion_says_none(voted):
    """The majority decides whether the emotion is there; None is 0 in the mean, Skip nothing."""
    answers = ["None", "None", "Strong", "Skip"]
    lines = [f"happy/p0.png {rater} {word}" for rater, word in zip("abcd", answers, strict=True)]
    few = [f"happy/p1.png {rater} {word}" for rater, word in zip("abc", answers[1:], strict=True)]
    most = [f"happy/p2.png {rater} {word}" for rater, word in zip("abc", "132", strict=True)]
    table = voted(*lines, *few, *most, "happy/p2.png d None")
    assert table.loc["happy/p0.png", ["level", "mean", "voters"]].to_list() == [0, 1, 3]
    assert table.loc["happy/p1.png", ["level", "mean", "voters"]].to_list() == [0, 1.5, 2]
    assert table.loc["happy/p2.png", ["level", "mean", "voters"]].to_list() == [2, 1.5, 4]


def test_neutral_faces_express_nothing(own_study, voted):
    """Whatever somebody voted, and without any votes."""
    faces = own_study.table("faces")
    faces["emotion"] = faces["emotion"].replace({"anger": "neutral"})
    own_study.write_table("faces", faces)
    table = voted("anger/p0.png a Strong", "happy/p0.png a Strong")
    assert (table.loc[table["emotion"] == "neutral", "level"] == 0).all()
    assert table.loc["happy/p0.png", "level"] == 3
    unvoted = ground_truth(planned(own_study, votes=""))
    assert unvoted["level"].notna().tolist() == (unvoted["emotion"] == "neutral").tolist()


def test_votes_on_images_that_were_left_out_are_no_error(own_study, voted):
    """Raters saw them; on images that nobody knows they are."""
    lines = ("happy/p0.png a Strong", "broken.png a Minimal")
    with pytest.raises(VotesError, match=r"broken\.png"):
        voted(*lines)
    excluded = own_study.table("excluded")
    row = dict.fromkeys(excluded.columns, "") | {"file": "broken.png"}
    own_study.write_table("excluded", pd.DataFrame([row]).astype("string"))
    table = voted(*lines)
    assert "broken.png" not in table.index
    assert table.loc["happy/p0.png", "level"] == 3


def test_votes_on_faces_that_the_plan_does_not_ask_for_are_left_out(own_study, voted):
    """Of two of three emotions, with the votes on all; an image that nobody has is refused."""
    table = own_study.table("faces")
    own_study.write_table("faces", table[table["emotion"] != "anger"].reset_index(drop=True))
    truth = voted("anger/p0.png a Strong", "happy/p0.png a Minimal")
    assert truth.loc["happy/p0.png", "level"] == 1
    assert "anger/p0.png" not in truth.index
    with pytest.raises(VotesError, match=r"unknown image: 'anger/p99\.png'"):
        voted("anger/p99.png a Strong")
