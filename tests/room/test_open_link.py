"""The open link: one person, one place; consent; what people say about themselves."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from tests.rooms import declare

from emorank.errors import RatingError
from emorank.room.consent import agreed, consents
from emorank.room.demographics import (
    answered,
    demographics,
    forget_demographics,
    read_answer,
    store_demographics,
)
from emorank.room.forget import forget
from emorank.room.invites import visitor
from emorank.room.open_link import (
    Arrival,
    FullError,
    StrangeIdError,
    admit,
    arrival,
    open_key,
    participants,
    place_of,
)
from emorank.room.overview import progress
from emorank.room.protocol import OpenLink, Question, protocol_of
from emorank.room.stages import begun, stage_of
from emorank.room.store import close

STUDY = """
[consent]
[[demographics]]
key = "age"
kind = "number"
least = 18
most = 99
[open_link]
most = 3
"""


@pytest.fixture
def study(make_room, tmp_path):
    """No raters yet."""
    return make_room(count=6, raters=(), repeats=0, declared=declare(tmp_path, STUDY))


def test_one_person_has_one_place(study):
    """Who comes again goes on in the same place and language; more than admitted do not come."""
    project, link = study.project, protocol_of(study.project).open_link
    assert open_key(project)
    with ThreadPoolExecutor(4) as threads:  # the same person in four windows at once
        come = [
            threads.submit(admit, project, link, Arrival("ann"), "f" * 64, "de") for _ in "1234"
        ]
    raters = {one.result()[1] for one in come}
    assert len(raters) == 1
    session, rater = admit(project, link, Arrival("ann"), None, "fr")
    assert visitor(project, session).language == "de"
    assert place_of(project, "ann") == rater
    admit(project, link, Arrival("ben", "study", "session"), "e" * 64, "en")
    admit(project, link, Arrival(""), "e" * 64, "en")
    with pytest.raises(FullError):
        admit(project, link, Arrival("dora"), "e" * 64, "en")
    assert admit(project, link, Arrival("ben"), "e" * 64, "en")
    assert [row.name for row in progress(project)] == ["p1", "p2", "p3"]
    assert {row.total for row in progress(project)} == {6}
    table = participants(project)
    assert table["participant"].tolist()[:2] == ["ann", "ben"]
    assert table["participant"].iloc[2].startswith("anonymous-")
    close(project)
    with pytest.raises(RatingError, match="closed"):
        admit(project, link, Arrival("ann"), None, "en")
    signed = consents(project)
    assert signed["text_hash"].tolist() == ["f" * 64, "e" * 64, "e" * 64]
    assert signed["language"].tolist() == ["de", "en", "en"]
    assert agreed(project, rater)


@pytest.mark.parametrize(
    "hostile",
    ["", "a b", "x" * 65, "../../etc", "<script>", "a\0b", "'; DROP TABLE raters; --", "ä", "a/b"],
)
def test_ids_that_are_none(hostile):
    """Refused; nothing of them is stored or shown."""
    with pytest.raises(StrangeIdError):
        arrival(OpenLink(most=3), {"PROLIFIC_PID": hostile})
    with pytest.raises(StrangeIdError):
        arrival(OpenLink(most=3), {"PROLIFIC_PID": "ann", "STUDY_ID": hostile or "a b"})


def test_the_parameters_of_the_address():
    """Their names are the study's; `participant` always counts."""
    link = OpenLink(most=3, participant="workerId", anonymous=True)
    assert arrival(link, {"workerId": "a", "SESSION_ID": "s"}) == Arrival("a", "", "s")
    assert arrival(link, {"participant": "b"}) == Arrival("b")
    assert arrival(link, {}) == Arrival("")


def test_demographics_are_kept_apart(study):
    """Once, under a random key; deleted, nothing is left."""
    project, link = study.project, protocol_of(study.project).open_link
    _, rater = admit(project, link, Arrival("ann"), "f" * 64, "en")
    protocol = protocol_of(project)
    assert stage_of(project, protocol, rater) == "rating"
    assert not begun(project, rater)
    name = progress(project)[0].name
    study.raters[name] = rater
    study.vote_all(name)
    assert begun(project, rater)
    assert stage_of(project, protocol, rater) == "questions"
    store_demographics(project, rater, {"age": "33", "work": ""})
    store_demographics(project, rater, {"age": "44"})
    assert answered(project, rater)
    assert stage_of(project, protocol, rater) == "done"
    table = demographics(project, protocol.demographics)
    assert table[["rater", "age"]].to_numpy().tolist() == [["p1", "33"]]
    with project.database.reading() as connection:
        rows = connection.execute(text("SELECT * FROM demographics")).all()
    assert rater not in str(rows)
    with project.database.writing() as connection:
        forget_demographics(connection, rater)
    assert demographics(project, protocol.demographics).empty
    with project.database.reading() as connection:
        assert not connection.execute(text("SELECT * FROM demographics")).all()
    forget(project, ["p1"])
    assert participants(project).empty
    assert consents(project).empty
    assert place_of(project, "ann") is None


AGE = Question("age", "number", least=18, most=99)
JOB = Question("job", "choice", "Job?", options={"yes": "Yes", "no": "No"})


@pytest.mark.parametrize(
    ("question", "given", "kept"),
    [
        (AGE, " 33 ", "33"), (AGE, "033", "33"), (AGE, "", ""), (JOB, "yes", "yes"), (JOB, "", ""),
        (Question("x", "text", "X?"), " a\n b\0 ", "a b"),
    ],
)  # fmt: skip
def test_an_answer_as_it_is_kept(question, given, kept):
    assert read_answer(question, given) == kept


@pytest.mark.parametrize(
    ("question", "given"),
    [(AGE, "17"), (AGE, "100"), (AGE, "1e1"), (AGE, "٣٣"), (AGE, "9" * 50), (JOB, "maybe"),
     (Question("x", "text", "X?"), "x" * 201)],
)  # fmt: skip
def test_an_answer_that_is_none(question, given):
    with pytest.raises(RatingError):
        read_answer(question, given)
