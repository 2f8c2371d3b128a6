"""The file of a study: what it says is kept, and what is wrong in it is named."""

from pathlib import Path

import msgspec
import pytest
from tests.rooms import declare

from emorank.errors import RatingError
from emorank.room.protocol import PARTS, Protocol, in_language, protocol_of, read_protocol

WHOLE = """
title = { en = "Faces", de = "Gesichter" }
question = "How {emotion}?"
order = "mixed"
seconds_per_face = 2
[languages]
offered = ["de", "it"]
files = { it = "it.po" }
[consent]
text = { en = "info.md" }
[[examples]]
image = "a.png"
emotion = "joy"
level = "Strong"
[practice]
faces = [{ image = "b.png", emotion = "fear", level = "None" }]
[[checks]]
image = "b.png"
emotion = "happy"
level = "Strong"
[breaks]
every = 5
[exposure]
face_ms = 200
[[demographics]]
key = "age"
kind = "number"
least = 18
most = 99
[open_link]
most = 3
[completion]
code = "C0FFEE"
"""


def test_what_is_declared_is_what_the_project_has(make_room, tmp_path):
    """Texts are read, pictures get random names, options are left to the command line; the file
    itself is beside the project."""  # noqa: D205, D209 - one sentence
    (tmp_path / "info.md").write_text("# Info")
    (tmp_path / "it.po").write_text('msgid "Begin"\nmsgstr "Inizia"\n')
    given = declare(tmp_path, WHOLE)
    assert given.options == {"question": "How {emotion}?", "order": "mixed", "title": "Faces"}
    room = make_room(declared=given, raters=("r1",))
    kept = protocol_of(room.project)
    assert kept.consent.text == {"en": "# Info"}
    assert kept.languages.files["it"].startswith('msgid "Begin"')
    pictures = [one.image for one in kept.pictures]
    assert pictures[1] == pictures[2] != pictures[0]
    assert all(room.project.picture(image).is_file() for image in pictures)
    assert "a.png" not in str(kept)
    assert (room.project.folder / "protocol.toml").read_text() == WHOLE
    assert kept.trial_ms == 2000 + 500 + 200
    assert protocol_of(make_room(name="plain").project) == Protocol()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("x = [", "cannot be read as TOML"),
        ("[consent]\ntexts = 'a'", "[consent]: unknown key 'texts'"),
        ("[practice]\nfaces = [{image = 'a.png', emotion = 'fear'}]",
         "[practice] faces[0]: 'level' is missing"),
        ("[[checks]]\nimage = 'a.png'\nemotion = 'fear'\nlevel = true", "level"),
        ("[[checks]]\nimage = 'a.png'\nemotion = 'envy'\nlevel = 'Strong'", "names no emotion"),
        ("[breaks]\nevery = 0", "[breaks] every = 0; expected 1"),
        ("[breaks]\nevery = 'often'", "[breaks] every: expected a whole number, came text"),
        ("consent = 3", "[consent]: expected a table, came a whole number"),
        ("[languages]\noffered = 'de'", "[languages] offered: expected a list, came text"),
        ("[exposure]\nface_ms = 99\nmask = 'x'", "[exposure] mask: 'x' is none of the words"),
        ("[exposure]\nface_ms = 5", "face_ms = 5; expected 10"),
        ("[exposure]\nface_ms = 50\nmask_ms = 99999", "mask_ms = 99999; expected 0"),
        ("[open_link]\nmost = 0", "most = 0; expected 1"),
        ("[open_link]\nmost = 5\nparticipant = 'a b'", "participant: expected the name"),
        ("[completion]\ncode = 'a b'", "[completion] code"),
        ("[completion]\naddress = 'javascript:alert(1)'", "[completion] address"),
        ("[completion]\n", "expected a code, an address"),
        ("[languages]\noffered = ['xx!']", "'xx!' is no code"),
        ("[languages]\nfiles = {it = 'no.po'}", "the text no.po cannot be read"),
        ("[consent]\ntext = 'no.md'", "the text no.md cannot be read"),
        ("[consent]\ntext = 7", "expected the name of a file, came 7"),
        ("question = {de = 'Wie?'}", "has not {emotion} in it once"),
        ("seconds_per_face = 0", "seconds_per_face = 0"),
        ("[[demographics]]\nkey = 'Age'\nkind = 'number'\nleast = 1\nmost = 2", "small letters"),
        ("[[demographics]]\nkey = 'age'\nkind = 'number'", "needs least and most"),
        ("[[demographics]]\nkey = 'job'\nkind = 'text'", "words are missing"),
        ("[[demographics]]\nkey = 'job'\nkind = 'choice'\nwords = 'Job?'", "needs options"),
        ("[[demographics]]\nkey = 'gender'\nkind = 'choice'\n" * 2, "each with its own key"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_place(tmp_path, content, says):
    """And nothing is made."""
    with pytest.raises(RatingError) as error:
        declare(tmp_path, content)
    assert says in str(error.value)
    assert str(tmp_path / "study.toml") in str(error.value)


def test_a_picture_that_cannot_be_read_leaves_nothing(make_room, tmp_path):
    """Nor does a missing file."""
    given = declare(
        tmp_path,
        WHOLE.partition("[practice]")[0].partition("[languages]")[0]
        + """
[[examples]]
image = "missing.png"
emotion = "joy"
level = "Strong"
""",
    )
    with pytest.raises(RatingError, match=r"missing\.png"):
        make_room(declared=given)
    assert not (tmp_path / "room").exists()
    with pytest.raises(RatingError, match="cannot be read"):
        read_protocol(tmp_path / "nothing.toml")


def test_a_text_in_another_language():
    """The language itself, its larger one, English, or any."""
    words = {"de": "d", "en": "e"}
    assert [in_language(words, code) for code in ("de", "de_AT", "fr")] == ["d", "d", "e"]
    assert in_language({"fr": "f"}, "de") == "f"
    assert in_language("all", "de") == "all"
    assert msgspec.json.decode(msgspec.json.encode(Protocol()), type=Protocol) == Protocol()


def test_the_documented_file_is_one(tmp_path):
    """The example of the documentation, with every part of a study in it."""
    page = Path(__file__).parents[2] / "docs/rating_protocol.md"
    content = page.read_text(encoding="utf-8").partition("```toml\n")[2].partition("```")[0]
    for name in ("information.md", "information_de.md"):
        (tmp_path / name).write_text("# Information")
    protocol = declare(tmp_path, content).protocol
    # A question of its own, and nothing else, is left out.
    assert [name for name in PARTS if not getattr(protocol, name)] == ["question"]
