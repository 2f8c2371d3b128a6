"""A whole study in Chromium, on a phone in German, on a desktop in English; fixed exposure."""

import json
import re
import shutil

import pytest
from sqlalchemy import select
from tests.rooms import Room, declare, images, noise
from tests.web.browsing import READY, enter, open_page, settled, until, violations
from tests.web.simulated import HASTY, Person, play

from emorank.datasets import load
from emorank.room.consent import consents
from emorank.room.creation import Setup, create_project
from emorank.room.facts import facts
from emorank.room.open_link import open_key
from emorank.room.overview import answers, log, progress
from emorank.room.project import open_project
from emorank.room.schema import IMAGES, SHOWINGS, TRIALS

STUDY = """
title = { en = "Faces, weak and strong", de = "Schwache und starke Gesichter" }
order = "mixed"
repeats = 0
names = ["ada", "bruno", "cleo", "dora"]
per_rater = 12
raters_per_face = 2
exclude_rule = "2 of: fast>0.5, run>=0.5, checks>=0.5"
keep_days = 365
[languages]
offered = ["en", "de", "fr"]
[consent]
contact = "lab@example.org"
[[examples]]
image = "faces/p05_happy_1.jpg"
emotion = "happy"
level = "Minimal"
[[examples]]
image = "faces/p05_happy_4.jpg"
emotion = "happy"
level = "Strong"
[practice]
faces = [{ image = "faces/p05_fear_1.jpg", emotion = "fear", level = "Minimal" }]
[[checks]]
image = "faces/p06_happy_4.jpg"
emotion = "happy"
level = "Strong"
[[checks]]
image = "faces/p06_happy_1.jpg"
emotion = "happy"
level = "Minimal"
[breaks]
every = 7
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
SMALL = STILL | {"viewport": {"width": 500, "height": 560}}  # less to draw
FRAME = 1000 / 60
# What another observer sees: when it looked in each frame, whether the face was visible, and how
# late that was in the frame.
OBSERVER = """
window.frames_seen = [];
const look = (now) => {
  const image = document.querySelector("#frame img");
  const visible = !!image && getComputedStyle(image).visibility === "visible";
  window.frames_seen.push([performance.now(), visible, performance.now() - now]);
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
# Something else keeps the page busy just when a face appears.
BUSY = """() => {
  const face = document.getElementById("face");
  new MutationObserver((_, watch) => {
    if (face.style.visibility !== "visible") return;
    watch.disconnect();
    for (const end = performance.now() + 90; performance.now() < end;);
  }).observe(face, { attributes: true, attributeFilter: ["style"] });
}"""


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


@pytest.fixture
def study(cli, tmp_path):
    """24 rendered faces of three persons, in a study that a file declares."""
    sample = load(None, "sample")
    for name in sample.table["image"]:
        if re.search("p0[1-6]_(happy|fear)_", name):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            shutil.copy(sample.root / name, tmp_path / name)
    table = sample.table
    rated = table[table["person"].isin(["p01", "p02", "p03"])
                  & table["emotion"].isin(["happy", "fear"])]  # fmt: skip
    rated[["image", "emotion", "person"]].to_csv(tmp_path / "manifest.csv", index=False)
    (tmp_path / "protocol.toml").write_text(STUDY)
    done = cli("rate", "new", tmp_path / "manifest.csv", "--protocol", tmp_path / "protocol.toml",
               "--out", tmp_path / "ratings")  # fmt: skip
    assert done.code == 0, done.err
    project = open_project(tmp_path / "ratings")
    links = dict(re.findall(r"  (\w+) +http://[^/]+(/invite/\S+)", done.out))
    yield Room(project, {row.name: row.id for row in progress(project)}), links
    project.database.close()


def judge_of(project):
    """What careful raters say: a face's frame of four, and what is expected of other pictures."""
    frames = ["Minimal", "Average", "Average", "Strong"]

    def judge(picture):
        with project.database.reading() as connection:
            name = connection.scalar(
                select(IMAGES.c.name)
                .join(SHOWINGS, SHOWINGS.c.image_id == IMAGES.c.id)
                .where(SHOWINGS.c.id == picture)
            )
            expected = select(TRIALS.c.expected).where(TRIALS.c.id == picture)
            return frames[int(name[-5]) - 1] if name else connection.scalar(expected)

    return judge


def test_six_people_take_part(study, serve, browse, cli, tmp_path):
    """Three languages, a phone, an interruption, an open link, and one who does not look: from
    consent to the code, all at the same time; then what the owner does."""  # noqa: D205, D209
    room, links = study
    project, folder = room.project, room.project.folder
    base, judge = serve(folder).base, judge_of(project)
    phone = open_page(
        browse(**PHONE, locale="de-DE", color_scheme="dark", **STILL), base, links["bruno"]
    )
    assert phone.get_attribute("html", "lang") == "de"
    assert "15 Bilder" in phone.inner_text(".length")
    assert violations(phone) == []
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    phone.tap("button[type=submit]")

    def come(context, link):
        page = enter(context, base, link)
        page.wait_for_url("**/rate/examples")  # who is admitted first is p1
        return page

    hasty = browse(locale="en-GB", **SMALL)
    hasty.add_init_script(HASTY)
    panel = f"/join/{open_key(project)}"
    own = browse(locale="de-AT", **SMALL)
    pages = {
        "ada": come(browse(locale="en-GB", **STILL), links["ada"]),
        "bruno": phone,
        "cleo": come(hasty, links["cleo"]),
        "dora": come(own, links["dora"]),
        "p1": come(browse(locale="fr-FR", **SMALL), f"{panel}?PROLIFIC_PID=5f1a&STUDY_ID=9"),
        "p2": come(browse(locale="it-IT", **SMALL), f"{panel}?participant=ann"),
    }
    people = {
        name: Person(page, None if name == "cleo" else judge, name == "bruno",
                     name in ("ada", "bruno"))
        for name, page in pages.items()
    }  # fmt: skip
    dora = people["dora"]

    def interrupt():
        if len(dora.asked) == 5 and dora.page is pages["dora"]:
            dora.page.close()
            dora.page = open_page(own, base, links["dora"])

    play([*people.values()], interrupt)
    for name, one in people.items():
        assert one.page.complaints == [], name
        course = [what for what in one.came_by if what not in ("practice", "face")]
        wanted = ["examples", "feedback", "end", "rest", "end", "questions", "done"]
        assert course == wanted, name
        assert one.words["done #code"] == "C0FFEE42"
    assert (
        people["bruno"].words["feedback #feedback"]
        == "Ja: Dieses Gesicht ist ein Beispiel für „Minimal“."
    )
    assert people["p1"].words["done h1:visible"] == "C’est terminé"
    assert people["p2"].words["done h1:visible"] == "All is done"  # no Italian is offered
    given = log(project).query("kind == 'vote'")
    assert not given.duplicated(["rater", "image"]).any()
    assert len(dora.asked) == len({*dora.asked}) == 14
    assert given.groupby("rater").size().to_dict() == dict.fromkeys(people, 12)
    assert given.groupby("image").size().tolist() == [3] * 24
    assert consents(project)["language"].tolist() == ["en", "de", "en", "de", "fr", "en"]
    owner_after_the_study(cli, folder, tmp_path)


def owner_after_the_study(cli, ratings, tmp_path):
    """Status, results with and without the one whom the declared rule leaves out, words for the
    paper, a folder to share, and forgetting."""  # noqa: D205, D209
    status = cli("rate", "status", ratings).out
    assert re.search(r"cleo .* 12 .* 12 .* 2 \(100", status)
    assert re.search(r"The 6 raters who have answered everything took \d+\.\d min", status)
    assert len(re.findall(r" 0 \(0", status)) >= 5
    whole = json.loads(cli("rate", "summary", ratings, "--json", "--resamples", "100").out)
    found = whole["exclusion"]
    assert [one["rater"] for one in found["raters"] if one["excluded"]] == ["cleo"]
    assert found["origin"].startswith("declared ")
    assert found["origin"].endswith(" before any answer")
    alphas = [
        one["agreement"]["counts"]["alpha_ordinal"]["value"] for one in (whole, found["without"])
    ]
    assert alphas[0] < alphas[1] == 1
    other = cli("rate", "summary", ratings, "--exclude-rule", "checks>=0.9", "--resamples", "100")
    assert "not declared in the project" in other.out
    said = cli("rate", "methods", ratings, "--resamples", "100").out
    for sentence in (
        "24 faces of 3 persons",
        "(12 fear, 12 happy)",
        "6 raters took part, of whom 6 rated all that they were shown.",
        "Each rater was shown 12 faces; each face was answered by 3 raters.",
        "Languages of their pages (ISO 639): de (2 raters), en (3 raters), fr (1 rater).",
        "1 practice trial came first",
        "A break was offered after every 7 faces.",
        "2 attention checks were placed among the faces.",
        "This excluded 1 of 6 raters.",
        f"was {alphas[1]:.2f}",
    ):
        assert sentence in said
    shared = tmp_path / "shared"
    assert "72 answers" in cli("rate", "export", ratings, "--psych-ds", shared).out
    content = " ".join(path.read_text() for path in shared.rglob("*") if path.is_file())
    assert not re.search(r"\b(ada|bruno|cleo|dora|5f1a|ann)\b", content)
    assert "cleo: now forgotten" in cli("rate", "forget", ratings, "cleo", "--answers", "--yes").out
    assert "cleo" not in cli("rate", "status", ratings).out
    again = json.loads(cli("rate", "summary", ratings, "--json", "--resamples", "100").out)
    assert again["agreement"]["counts"]["alpha_ordinal"]["value"] == 1


def test_a_face_is_seen_for_the_time_that_was_planned(make_study, serve, browse):
    """Within a frame, by the page and by another observer; the answer comes after the mask, the
    reaction time runs from the onset; a face that was covered meanwhile is shown anew."""  # noqa: D205, D209
    room = make_study(EXPOSED, 8)
    context = browse()
    context.add_init_script(OBSERVER)
    page = enter(context, serve(room.project.folder).base, room.link("r1"))
    page.wait_for_selector(READY)
    assert page.is_hidden("#back")
    for number in range(6):
        page.wait_for_selector(READY)
        if number == 2:
            page.evaluate(BUSY)  # the next face is drawn late, and stays as long as planned
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
    runs, begin, late, before = [], None, 0, None
    for now, visible, behind in page.evaluate("window.frames_seen"):
        if visible and begin is None:
            begin, late = now, behind
        elif not visible and begin is not None:
            runs.append((now - begin, max(FRAME, now - before) + late + 1))
            begin = None
        before = now
    assert len(runs) >= 6
    # A busy machine drops frames, and the page then says how long it really was.
    for (observed, exact), said in zip(runs, table["shown_ms"], strict=False):
        assert abs(observed - said) <= exact
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
    page.reload()  # the last face has been seen, and comes again
    page.wait_for_selector(READY)
    page.keyboard.press("2")
    page.wait_for_selector("#end:not([hidden])")
    *others, last = answers(room.project)["times_shown"]
    assert others == [1] * 7
    assert last >= 2  # and once more, if the help came before the cross was gone
    assert page.evaluate("Object.keys(localStorage).length") == 0
    assert facts(room.project).shown_again == 1
    assert page.complaints == []
