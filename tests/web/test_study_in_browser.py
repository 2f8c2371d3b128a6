"""A whole study in Chromium, on a phone in German, on a desktop in English; fixed exposure."""

import pytest
from tests.rooms import Room, declare, images, noise
from tests.web.browsing import READY, enter, open_page, settled, until, violations

from emorank.room.consent import consents
from emorank.room.creation import Setup, create_project
from emorank.room.demographics import demographics
from emorank.room.open_link import open_key
from emorank.room.overview import answers, progress
from emorank.room.protocol import protocol_of
from emorank.room.trials import trials_table

STUDY = """
[languages]
offered = ["en", "de"]
[consent]
[[examples]]
image = "a.png"
emotion = "happy"
level = "Strong"
[practice]
faces = [{ image = "b.png", emotion = "fear", level = "Minimal" }]
[[checks]]
image = "c.png"
emotion = "happy"
level = "Strong"
[breaks]
every = 3
[[demographics]]
key = "age"
kind = "number"
least = 18
most = 99
[[demographics]]
key = "gender"
kind = "choice"
[open_link]
most = 5
[completion]
code = "C0FFEE42"
"""
EXPOSED = """
[exposure]
fixation_ms = 100
face_ms = 200
mask_ms = 50
mask = "noise"
"""
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
STILL = {"reduced_motion": "reduce"}  # a word that fades in has little contrast meanwhile
FRAME = 1000 / 60
# What another observer sees: the time of each frame, and whether the face is visible in it.
OBSERVER = """
window.frames_seen = [];
const look = (now) => {
  const image = document.querySelector("#frame img");
  const visible = !!image && getComputedStyle(image).visibility === "visible";
  window.frames_seen.push([now, visible]);
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""


@pytest.fixture
def make_study(tmp_path):
    """A study in a file: pages know nothing of the database."""
    made = []

    def make(text, count):
        setup = Setup(repeats=0, shortest_ms=50, ordering="mixed")
        project = create_project(
            tmp_path / "room", images(count), noise, ["r1"], setup,
            declared=declare(tmp_path, text),
        )  # fmt: skip
        made.append(project)
        return Room(project, {row.name: row.id for row in progress(project)})

    yield make
    for project in made:
        project.database.close()


def take_part(page, words):
    """From the examples to the end; everybody can use every page, and it fits the window."""
    width = page.viewport_size["width"]

    def look():
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    page.wait_for_url("**/rate/examples")
    look()
    page.click("a.primary")
    page.wait_for_selector(READY)
    assert page.text_content("#question").strip() == words["question"]
    page.keyboard.press("2")
    page.wait_for_selector("#on:not([hidden])")
    assert page.text_content("#feedback") == words["feedback"]
    look()
    page.keyboard.press("Enter")
    page.wait_for_selector("#end:not([hidden])")
    page.click("#end-on")
    rests = 0
    for _ in range(6):
        page.wait_for_selector(f"{READY}, #rest:not([hidden])")
        if page.is_visible("#rest"):
            rests += 1
            look()
            page.keyboard.press("Enter")
            page.wait_for_selector(READY)
        page.keyboard.press("3")
    page.wait_for_selector("#end:not([hidden])")
    assert rests == 1
    settled(page)
    look()
    page.click("#end-on")
    page.wait_for_url("**/rate/questions")
    look()
    page.fill("input[name=age]", "33")
    page.click("button[type=submit]")
    page.wait_for_url("**/rate/done")
    look()
    assert page.text_content("h1") == words["done"]
    assert page.text_content("#code") == "C0FFEE42"
    assert page.complaints == []


def test_a_study_from_consent_to_the_code(make_study, serve, browse):
    """Consent, examples, practice, faces with a check and a break, questions, the code."""
    room = make_study(STUDY, 5)
    base = serve(room.project.folder).base
    page = open_page(
        browse(**PHONE, locale="de-DE", color_scheme="dark", **STILL), base, room.link("r1")
    )
    assert page.get_attribute("html", "lang") == "de"
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.click("button[type=submit]")
    take_part(page, {
        "question": "Wie stark drückt dieses Gesicht Angst aus?",
        "feedback": "Dieses Gesicht ist als Beispiel für „Minimal“ gemeint.",
        "done": "Fertig",
    })  # fmt: skip
    link = f"/join/{open_key(room.project)}?PROLIFIC_PID=ann"
    take_part(enter(browse(locale="en-GB", **STILL), base, link), {
        "question": "How strongly does this face express fear?",
        "feedback": "This face is meant as an example of “Minimal”.",
        "done": "All is done",
    })  # fmt: skip
    project = room.project
    assert consents(project)["language"].tolist() == ["de", "en"]
    assert answers(project)["answer"].tolist() == ["Strong"] * 10
    trials = trials_table(project)
    assert trials.query("kind == 'check'")["passed"].tolist() == [True, True]
    assert trials.query("kind == 'practice'")["answer"].tolist() == ["Average", "Average"]
    said = demographics(project, protocol_of(project).demographics)
    assert said["age"].tolist() == ["33", "33"]
    assert said["gender"].isna().all()


def test_a_face_is_seen_for_the_time_that_was_planned(make_study, serve, browse):
    """Within a frame, by the page and by another observer; the answer comes after the mask, the
    reaction time runs from the onset; a face that was covered meanwhile is shown anew."""  # noqa: D205, D209
    room = make_study(EXPOSED, 8)
    context = browse()
    context.add_init_script(OBSERVER)
    page = enter(context, serve(room.project.folder).base, room.link("r1"))
    page.wait_for_selector(READY)
    assert page.is_hidden("#back")
    for _ in range(6):
        page.wait_for_selector(READY)
        assert (
            page.eval_on_selector("#frame img", "(one) => getComputedStyle(one).visibility")
            == "hidden"
        )
        page.keyboard.press("2")
        page.wait_for_selector("#room[data-ready=no]")
    settled(page)
    table = answers(room.project)
    assert table["exposure_ms"].tolist() == [200] * 6
    assert (table["reaction_ms"] >= 250 - FRAME).all()
    runs, begin, before = [], None, None
    for now, visible in page.evaluate("window.frames_seen"):
        if visible and begin is None:
            begin = now
        elif not visible and begin is not None:
            runs.append((now - begin, now - before))
            begin = None
        before = now
    assert len(runs) >= 6
    # A busy machine drops frames, and the page then says how long it really was.
    for (observed, frame), said in zip(runs, table["shown_ms"], strict=False):
        assert abs(observed - said) <= max(FRAME, frame) + 1
    assert abs(table["shown_ms"].median() - 200) <= FRAME + 1
    page.wait_for_selector(READY)
    page.keyboard.press("2")
    page.keyboard.press("?")
    page.wait_for_timeout(600)
    assert page.get_attribute("#room", "data-ready") == "no"
    page.keyboard.press("Escape")
    page.wait_for_selector(READY)
    page.keyboard.press("Backspace")
    until(page, "document.getElementById('count').textContent.startsWith('Picture 8 ')")
    assert page.complaints == []
