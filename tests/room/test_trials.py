"""Practice and checks: in their places, and apart from the answers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rooms import declare

from emorank.answers.answers_table import answers_table
from emorank.answers.scales import scale_of
from emorank.cli.rate.exclusion import failed_checks
from emorank.errors import RatingError
from emorank.room.design import Design
from emorank.room.intake import import_answers
from emorank.room.overview import answers, log, progress
from emorank.room.store import (
    Closed,
    Contradicted,
    UnknownShowing,
    Vote,
    close,
    image_of,
    practice,
    practice_standing,
    showings,
    standing,
    submit,
)
from emorank.room.trials import Checks, check_places, checks_of, trials_table

STUDY = """
[practice]
faces = [{ image = "a.png", emotion = "fear", level = "Minimal" }]
[[checks]]
image = "b.png"
emotion = "happy"
level = "Strong"
[[checks]]
image = "c.png"
emotion = "happy"
level = "Minimal"
[exposure]
face_ms = 200
"""


@given(st.integers(1, 400), st.integers(0, 60), st.integers(0, 2**31))
def test_checks_are_spread(count, checks, seed):
    """One in each piece of the whole; none twice in a place, none first where there is room."""
    places = check_places(count, checks, np.random.default_rng(seed))
    assert len(set(places)) == checks
    assert places == sorted(places)
    assert all(0 <= place < count + checks for place in places)
    if checks and (count + checks) // checks > 1:
        assert places[0] > 0
        size = (count + checks) / checks
        assert max(np.diff(places), default=0) <= 2 * size + 1


@pytest.fixture
def study(make_room, tmp_path):
    """Ten faces, two checks, one for practice; no repeats."""
    return make_room(count=10, raters=("r1", "r2"), repeats=0, declared=declare(tmp_path, STUDY))


def test_checks_stand_among_the_pictures(study, make_room):
    """One dense line of positions for all; pictures keep the order that they have without checks,
    nothing tells a check, and an image of another rater's check is nobody's."""  # noqa: D205, D209
    project, rater = study.project, study.raters["r1"]
    line = study.showings("r1")
    assert [row.position for row in line] == list(range(12))
    parts = showings(project, rater, 0, 5) + showings(project, rater, 5, 20)
    assert [row.id for row in parts] == [row.id for row in line]
    assert standing(project, rater).total == 12
    study.vote_all("r1")
    table = answers(project)
    assert len(table) == 10
    assert table["exposure_ms"].tolist() == [200] * 10
    plain = make_room(count=10, raters=("r1", "r2"), repeats=0, name="plain")
    plain.vote_all("r1")
    assert answers(plain.project)["image"].tolist() == table["image"].tolist()
    check = trials_table(project)
    assert check["kind"].tolist() == ["check", "check"]
    assert set(check["expected"]) == {"Strong", "Minimal"}
    assert check["passed"].tolist() == [False, False]
    assert checks_of(project) == {rater: Checks(2, 2)}
    assert failed_checks(project) == {"r1": (2, 2)}
    assert [row.answered for row in progress(project)] == [10, 0]
    assert standing(project, rater).answered == 12
    given_ids = {row.id for row in line}
    with pytest.raises(UnknownShowing):
        image_of(project, study.raters["r2"], next(iter(given_ids)))
    events = log(project).query("kind == 'check'")
    assert len(events) == 2
    assert events["image"].isna().all()


def test_an_answer_to_a_check_is_stored_once(study):
    """As every answer: again is nothing, other is a contradiction, too fast and closed are told."""
    project, rater = study.project, study.raters["r1"]
    study.vote_all("r1")
    trial = practice(project, rater, 0, 9)[0]
    assert trial.expected == "Minimal"
    assert practice_standing(project, rater).total == 1
    vote = Vote("a-vote-of-mine", trial.id, "Minimal", 900, 0, shown_ms=201, times_shown=2)
    assert submit(project, rater, [vote]) == ["stored"]
    assert submit(project, rater, [vote]) == ["stored"]
    with pytest.raises(Contradicted):
        submit(project, rater, [Vote("a-vote-of-mine", trial.id, "Strong", 900, 0)])
    assert submit(project, rater, [Vote("another-vote", trial.id, "Strong", 900, 0)]) == ["stale"]
    with pytest.raises(UnknownShowing):
        submit(project, study.raters["r2"], [Vote("stranger", trial.id, "Strong", 900, 0)])
    other = practice(project, study.raters["r2"], 0, 9)[0]
    fast = Vote("too-soon-for-it", other.id, "Strong", 20, 0)
    assert submit(project, study.raters["r2"], [fast]) == ["fast"]
    row = trials_table(project).query("kind == 'practice'").iloc[0]
    assert (row["answer"], row["shown_ms"], bool(row["passed"])) == ("Minimal", 201, True)
    assert row["times_shown"] == 2
    assert practice_standing(project, rater).answered == 1
    assert len(answers(project)) == 10
    close(project)
    with pytest.raises(Closed):
        submit(project, study.raters["r2"], [Vote("late-one", other.id, "Strong", 900, 0)])


def test_imported_answers_stand_behind_the_checks(study):
    """The line stays dense when a rater gets more pictures, and begins at 0 for a new one."""
    rows = [
        {"image": image, "emotion": "happy", "rater": rater, "answer": "Strong", "repeat": again}
        for image, rater, again in (
            ("happy/p0.png", "r1", True),
            ("happy/p2.png", "r1", True),
            ("happy/p0.png", "new", False),
        )
    ]
    import_answers(study.project, answers_table(rows))
    assert [row.position for row in study.showings("r1")] == list(range(14))
    new = next(row.id for row in progress(study.project) if row.name == "new")
    assert [row.position for row in showings(study.project, new, 0, 9)] == [0]


FACE = """
[practice]
faces = [{{ image = "a.png", emotion = "fear", level = {0} }}]
[[checks]]
image = "b.png"
emotion = "happy"
level = {0}
"""
PAIR = FACE.replace('image = "a.png"', 'left = "a.png", right = "b.png"').replace(
    'image = "b.png"', 'left = "c.png"\nright = "a.png"'
)


@pytest.mark.parametrize("database", [None])
@pytest.mark.parametrize(
    ("scale", "text", "level", "passes", "fails"),
    [
        (scale_of("four"), FACE, "'Extreme'", ["Extreme"], ["Strong", "None", "Skip"]),
        (scale_of("slider"), FACE, "80", ["55", "100"], ["54", "None", "Skip"]),
        (scale_of("slider"), FACE, "'70-90'", ["70", "90"], ["69", "91", "Skip"]),
        (scale_of("slider"), FACE, "'None'", ["None"], ["0", "Skip"]),
        (scale_of("pairs"), PAIR, "'Left'", ["Left"], ["Right", "Skip"]),
        (scale_of("pairs", ties=True), PAIR, "'Tie'", ["Tie"], ["Right"]),
    ],
)
def test_each_scale_has_its_checks(make_room, tmp_path, scale, text, level, passes, fails):
    """What is expected can be answered; a slider's range, or about its position, is enough."""
    names = [f"r{number}" for number in range(len(passes + fails))]
    room = make_room(
        count=6, raters=names, repeats=0, design=Design(scale),
        declared=declare(tmp_path, text.format(level)),
    )  # fmt: skip
    project = room.project
    for name, answer in zip(names, passes + fails, strict=True):
        trial = practice(project, room.raters[name], 0, 9)[0]
        room.vote(name, {trial.id: answer})
        room.vote_all(name, lambda _, answer=answer: answer)
    expected = [True] * len(passes) + [False] * len(fails)
    table = trials_table(project)
    for kind in ("practice", "check"):
        assert table.query(f"kind == '{kind}'")["passed"].tolist() == expected
    assert [mark.failed for mark in checks_of(project).values()] == [not one for one in expected]
    sides = ("left", "right") if scale.kind == "pairs" else (None,)
    shown = [image_of(project, room.raters[names[-1]], trial.id, side) for side in sides]
    assert len({*shown}) == len(sides)
    for side in {None, "left", "right"} - {*sides}:
        with pytest.raises(UnknownShowing):
            image_of(project, room.raters[names[-1]], trial.id, side)


@pytest.mark.parametrize("database", [None])
@pytest.mark.parametrize(
    ("scale", "text", "says"),
    [
        ("three", FACE.format("'Huge'"), "b.png|a.png.* 'Huge', but .* Minimal, Average, Strong"),
        ("three", FACE.format("'Skip'"), "'Skip'"),
        ("four", FACE.format("'Average'"), "Minimal, Moderate, Strong, Extreme, None"),
        ("slider", FACE.format("101"), "a position from 0 to 100, a range such as '70-100'"),
        ("slider", FACE.format("'90-70'"), "'90-70'"),
        ("pairs", PAIR.format("'Tie'"), "only with Left or Right"),
        ("pairs", FACE.format("'Left'"), "it needs left and right, two pictures"),
        ("slider", PAIR.format("50"), "it needs image, one picture"),
    ],
)
def test_what_a_scale_cannot_answer_is_no_check(make_room, tmp_path, scale, text, says):
    """It is refused with what is possible, and nothing is made."""
    with pytest.raises(RatingError, match=says):
        make_room(declared=declare(tmp_path, text), design=Design(scale_of(scale)))
    assert not (tmp_path / "room").exists()
