"""Exclusion rules are declared before the data, or with a reason."""

import json

import pytest
from sqlalchemy import select

from emorank.answers.scales import scale_of
from emorank.errors import RatingError
from emorank.room.design import Design
from emorank.room.rules import declare, rules
from emorank.room.schema import PAIRS, SHOWINGS


def test_declarations_stay_in_the_list(make_room):
    """With the number of answers that there were; without a reason only before the first one."""
    room = make_room(rule="run>=0.5")
    declare(room.project, "run>=0.6")
    room.vote_all("r1")
    with pytest.raises(RatingError, match="13 answers already"):
        declare(room.project, "run>=0.7", " ")
    declare(room.project, "", "a bad idea")
    found = [(one.rule, one.answers, one.reason) for one in rules(room.project)]
    assert found == [("run>=0.5", 0, ""), ("run>=0.6", 0, ""), ("", 13, "a bad idea")]


@pytest.mark.parametrize("database", [None])
@pytest.mark.parametrize("name", ["three", "four", "slider", "pairs"])
def test_the_summary_shows_both(make_room, cli, tmp_path, name):
    """In the terminal, on the page and in JSON, with the scores; a careless rater is left out."""
    scale = scale_of(name)
    room = make_room(
        count=16, raters=("a", "b", "c"), design=Design(scale, pairs_per_face=None), rule="run>=0.9"
    )
    number = {}
    with room.project.database.reading() as connection:
        for row in connection.execute(select(SHOWINGS)):
            number[row.id] = sum(map(ord, row.image_id)) + (row.swapped or 0)
        assert bool(connection.execute(select(PAIRS)).first()) == (name == "pairs")
    words = [str(n) for n in range(0, 101, 7)] if name == "slider" else scale.words[:2]
    for rater in "ab":
        room.vote_all(rater, lambda one: words[number[one.id] % len(words)])
    room.vote_all("c", lambda one: words[0])
    page, sheet = tmp_path / "page.html", tmp_path / "scores.csv"
    folder = str(room.project.folder)
    arguments = ["rate", "summary", folder, "--resamples", "100"]
    told = cli(*arguments, "--report", page, "--out", sheet)
    assert told.code == 0, told.err
    assert "leaves out 1 of 3" in " ".join(told.out.split())
    assert "Without those left out" in page.read_text()
    assert len(sheet.read_text().splitlines()) == 17
    values = json.loads(cli(*arguments, "--json").out)
    assert [one["excluded"] for one in values["exclusion"]["raters"]] == [False, False, True]
    assert (values["raters"], values["exclusion"]["without"]["raters"]) == (3, 2)
    assert values["exclusion"]["declarations"][0]["answers"] == 0
    other = cli(*arguments, "--json", "--exclude-rule", "run>1")
    assert "not declared" in json.loads(other.out)["exclusion"]["origin"]
