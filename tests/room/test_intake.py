"""Answers from elsewhere: all of them or none."""

import pytest

from emorank.answers.answers_table import answers_table
from emorank.answers.interchange import write_answers
from emorank.errors import RatingError, VotesWarning
from emorank.room.intake import import_answers
from emorank.room.overview import answers, log, progress
from emorank.room.sources import read_answers


def test_out_and_in_again(make_room, tmp_path):
    """Exported answers, imported into a new project of the same images, are the same answers."""
    one, two = make_room(repeats=0.2), make_room(name="second", repeats=0.2)
    words = ("Minimal", "Average", "Strong", "None", "Skip")
    for name in ("r1", "r2"):
        one.vote_all(name, lambda showing: words[showing.position % 5])
    given = answers(one.project)
    write_answers(given, tmp_path / "votes.csv")
    assert import_answers(two.project, read_answers(tmp_path / "votes.csv")) == len(given)
    key = ["image", "emotion", "rater", "repeat"]
    came = answers(two.project)
    columns = [*key, "answer", "reaction_ms", "hidden_ms"]
    left, right = (t.sort_values(key, ignore_index=True)[columns] for t in (given, came))
    assert left.equals(right)
    assert (log(two.project)["kind"] == "import").sum() == len(given)
    with pytest.raises(RatingError, match="already"):
        import_answers(two.project, given)
    assert len(answers(two.project)) == len(given)


def test_import_adds_raters_and_refuses_unknown_images(room):
    """A rater that is not there is added; an image that is not there stops all of it."""
    table = answers(room.project)
    row = {"image": "happy/p0.png", "emotion": "happy", "rater": "guest", "answer": "Strong"}
    with pytest.raises(RatingError, match="does not have"):
        import_answers(room.project, answers_table([row, row | {"image": "other.png"}]))
    assert answers(room.project).equals(table)
    assert import_answers(room.project, answers_table([row | {"emotion": None}])) == 1
    assert [person.name for person in progress(room.project)] == ["r1", "r2", "guest"]


def test_names_of_answers_mean_those_of_the_project(room):
    """Pictures, emotions and raters in another spelling are the project's."""
    row = {"image": ".\\happy\\p0.png", "emotion": "Joy", "rater": " r1 ", "answer": "Strong"}
    assert import_answers(room.project, answers_table([row])) == 1
    assert answers(room.project)[["image", "emotion", "rater"]].to_numpy().tolist() == [
        ["happy/p0.png", "happy", "r1"]
    ]
    assert [person.name for person in progress(room.project)] == ["r1", "r2"]
    with pytest.warns(VotesWarning, match="'R1', 'r1'"):
        import_answers(room.project, answers_table([row | {"rater": "R1"}]))
