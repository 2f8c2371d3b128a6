"""`emorank rate`: from images to invite links, votes in and out, on the command line."""

import json
import re
import shutil
import socket
import stat

import pandas as pd
import pytest
from tests.rooms import Room

from emorank.room.overview import answers, pictures, progress
from emorank.room.project import open_project
from emorank.room.store import Vote, showings, submit


@pytest.fixture
def ratings(cli, drawn, tmp_path):
    """A project of the drawn faces, with three raters."""
    done = cli("rate", "new", drawn, "--raters", 3, "--out", tmp_path / "ratings", "--repeats", 0)
    assert done.code == 0, done.err
    return tmp_path / "ratings"


def voted(folder, answer="Strong"):
    """Let every rater answer everything."""
    project = open_project(folder)
    room = Room(project, {row.name: row.id for row in progress(project)})
    for name in room.raters:
        room.vote_all(name, lambda _: answer)
    project.database.close()


def test_new_prints_one_link_per_rater_and_the_owners(cli, drawn, tmp_path):
    """Links that differ, none of which is kept in the folder."""
    done = cli("rate", "new", drawn, "--names", "ada,ben", "--out", tmp_path / "ratings")
    links = re.findall(
        r"^ {2}(\w+) +http://127\.0\.0\.1:8321/invite/([\w-]{43})$", done.out, re.MULTILINE
    )
    assert [name for name, _ in links] == ["ada", "ben", "owner"]
    assert len({secret for _, secret in links}) == 3
    content = b"".join(p.read_bytes() for p in (tmp_path / "ratings").glob("rating.*"))
    assert not any(secret.encode() in content for _, secret in links)


def test_names_and_their_number_have_to_agree(cli, drawn, tmp_path):
    """Neither wins in silence, and nothing is made; the same number is no contradiction."""
    asked = ("rate", "new", drawn, "--out", tmp_path / "ratings", "--names", "ada,ben", "--raters")
    for count in (1, 5, 10):
        assert f"--raters {count}, but 2 names in --names" in cli(*asked, count).failure
        assert not (tmp_path / "ratings").exists()
    assert "2 raters" in cli(*asked, 2).out


def test_new_from_a_study(cli, finished, tmp_path):
    """The study's own images, under the study's names."""
    done = cli("rate", "new", finished, "--raters", 1, "--out", tmp_path / "ratings")
    assert done.code == 0, done.err
    project = open_project(tmp_path / "ratings")
    voted(project.folder)
    faces = pd.read_parquet(finished / "faces.parquet")
    assert set(answers(project)["image"]) == set(faces["image"])
    project.database.close()


def test_neutral_is_left_out_unless_asked_for(cli, own_drawn, tmp_path):
    """And it is said."""
    (own_drawn / "surprise").rename(own_drawn / "neutral")
    done = cli("rate", "new", own_drawn, "--out", tmp_path / "a")
    assert "left out: 8 images of the emotion neutral" in done.err
    assert "16 images" in done.out
    done = cli("rate", "new", own_drawn, "--emotions", "neutral,joy", "--out", tmp_path / "b")
    assert "16 images" in done.out
    assert "emotion anger" in done.err


def test_a_folder_without_emotions_needs_the_one_that_is_asked(cli, drawn, tmp_path):
    """Images side by side are all rated for one emotion, which has to be named."""
    faces = tmp_path / "unsorted"
    faces.mkdir()
    for number, file in enumerate(sorted(drawn.rglob("*.png"))[:3]):
        shutil.copy(file, faces / f"={number} <b>ü.png")
    assert "--emotions happy" in cli("rate", "new", faces, "--out", tmp_path / "a").failure
    both = cli("rate", "new", faces, "--out", tmp_path / "a", "--emotions", "happy,sad")
    assert "--emotions happy" in both.failure
    done = cli("rate", "new", faces, "--out", tmp_path / "a", "--emotions", "joy", "--raters", 1)
    assert "3 images, 1 rater\n" in done.out, done.err
    project = open_project(tmp_path / "a")
    assert {emotion for _, emotion in pictures(project)} == {"happy"}
    project.database.close()


def test_what_cannot_be_read_is_told(cli, own_drawn, tmp_path):
    """The count is of what raters will see, and the rest has a place where it says why."""
    broken = min(own_drawn.rglob("*.png"))
    broken.write_bytes(broken.read_bytes()[:100])
    done = cli("rate", "new", own_drawn, "--out", tmp_path / "ratings")
    assert "left out: 1 images that cannot be read" in done.err
    assert "23 images, 10 raters" in done.out
    assert broken.name in (tmp_path / "ratings" / "excluded.csv").read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--base-url", "rate.example.org"], "expected http://HOST"),
        (["--base-url", "http://rate.example.org:x"], "expected http://HOST"),
        (["--database", "sqlite:///here.db"], "leave it out for a file of SQLite"),
    ],
)
def test_addresses_are_checked_before_anything_is_made(cli, drawn, tmp_path, arguments, says):
    """No links that lead nowhere, no half a project."""
    assert says in cli("rate", "new", drawn, "--out", tmp_path / "ratings", *arguments).failure
    assert not (tmp_path / "ratings").exists()


def test_a_folder_in_use_is_refused(cli, drawn, ratings):
    """A second project does not go over the first."""
    assert "in use" in cli("rate", "new", drawn, "--out", ratings).failure


def test_status_and_close(cli, ratings):
    """Counts per rater, and whether it is open."""
    voted(ratings)
    out = cli("rate", "status", ratings).out
    assert "(open)" in out
    assert re.search(r"r2 +24 +24 +0\.8 s +0 \(0\.0%\) +open", out)
    assert cli("rate", "close", ratings).code == 0
    assert "(closed)" in cli("rate", "status", ratings).out
    cli("rate", "close", ratings, "--reopen")
    assert "(open)" in cli("rate", "status", ratings).out


@pytest.mark.parametrize("name", ["votes.csv", "votes.parquet", "votes.json"])
def test_export_and_import(cli, drawn, ratings, tmp_path, name):
    """Out of one project, into another of the same images."""
    voted(ratings)
    assert cli("rate", "export", ratings, "--out", tmp_path / name).code == 0
    cli("rate", "new", drawn, "--raters", 1, "--out", tmp_path / "other")
    done = cli("rate", "import", tmp_path / "other", tmp_path / name)
    assert "72 answers taken in" in done.out
    again = ("rate", "export", ratings, "--out", tmp_path / name)
    assert "--overwrite to replace it" in cli(*again).failure
    assert cli(*again, "--overwrite").code == 0
    assert "already" in cli("rate", "import", tmp_path / "other", tmp_path / name).failure


def test_export_for_label_studio_and_the_log(cli, ratings, tmp_path):
    """Tasks with several annotators; every event with its number."""
    voted(ratings)
    tasks = tmp_path / "tasks.json"
    assert cli("rate", "export", ratings, "--out", tasks, "--format", "label-studio").code == 0
    assert {len(task["annotations"]) for task in json.loads(tasks.read_text())} == {3}
    cli("rate", "export", ratings, "--out", tmp_path / "log.csv", "--log")
    asked = ("rate", "export", ratings, "--out", tmp_path / "log.csv", "--displays")
    assert cli(*asked, "--log").code == 2
    log = pd.read_csv(tmp_path / "log.csv")
    assert (log["kind"] == "vote").sum() == 72
    assert log["seq"].is_monotonic_increasing
    copy, sheet, out = (tmp_path / f"{name}.csv" for name in ("copy", "sheet", "displays"))
    cli("rate", "summary", ratings, "--answers", copy, "--out", sheet, "--resamples", 100)
    assert "0 displays" in cli("rate", "export", ratings, "--out", out, "--displays").out
    for path in (tasks, tmp_path / "log.csv", copy, sheet, out):  # answers are nobody else's
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_cell_of_the_log_is_a_formula(cli, drawn, tmp_path):
    """Neither names of raters nor of images run in a spreadsheet."""
    cli("rate", "new", drawn, "--names", "=1+1", "--out", tmp_path / "ratings")
    cli("rate", "export", tmp_path / "ratings", "--out", tmp_path / "log.csv", "--log")
    assert ",'=1+1," in (tmp_path / "log.csv").read_text()


def test_summary_of_a_project(cli, ratings):
    """The same verb as for a file."""
    voted(ratings)
    done = cli("rate", "summary", ratings, "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["format"] == "project"


def test_invite_renews_and_revokes(cli, ratings):
    """New links for those named; an unknown name is an error that lists the known ones."""
    done = cli("rate", "invite", ratings, "r1", "r3")
    assert re.findall(r"^ {2}(r\d)", done.out, re.MULTILINE) == ["r1", "r3"]
    assert cli("rate", "invite", ratings, "r2", "--revoke").out == "revoked: r2\n"
    assert "there are r1, r2, r3" in cli("rate", "invite", ratings, "r9").failure
    added = cli("rate", "invite", ratings, "--add", 2).out
    assert re.findall(r"^ {2}(\w+) ", added, re.MULTILINE) == ["r4", "r5"]
    assert "taken: r4" in cli("rate", "invite", ratings, "--add", "dora,r4").failure
    assert r"got a\x07b" in cli("rate", "invite", ratings, "--add", "dora,a\x07b").failure
    for wrong in ((), ("r1", "--add", 1), ("--add", 1, "--revoke")):
        assert cli("rate", "invite", ratings, *wrong).code == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--host", "0.0.0.0"], "say with --base-url"),  # noqa: S104 - refused, not bound
        (["--base-url", "rate.example.org"], "expected http://HOST"),
        (["--base-url", "https://rate.example.org/room"], "expected http://HOST"),
    ],
)
def test_serve_refuses_what_would_not_be_safe(cli, ratings, arguments, says):
    """Before it listens."""
    assert says in cli("rate", "serve", ratings, "--no-browser", *arguments).failure


def test_serve_refuses_a_port_in_use(cli, ratings):
    """And the owner's link that was printed before still works: no new one replaced it."""
    before = export_log(cli, ratings)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = cli("rate", "serve", ratings, "--no-browser", "--port", port)
    assert "choose another --port" in done.failure
    assert export_log(cli, ratings) == before


def export_log(cli, ratings):
    """Every event so far."""
    cli("rate", "export", ratings, "--log", "--out", ratings / "log.csv")
    return (ratings / "log.csv").read_text()


@pytest.mark.parametrize("verb", ["serve", "status", "export", "close", "invite", "import"])
def test_what_is_no_project_is_refused(cli, tmp_path, verb):
    """With the way to make one."""
    more = {"export": ["--out", tmp_path / "x.csv"], "invite": ["r1"]}.get(verb, [])
    if verb == "import":
        more = [tmp_path / "v.csv"]
        more[0].write_text("image,rater,answer\na.png,r1,Strong\n")
    done = cli("rate", verb, tmp_path, *more)
    assert "emorank rate new" in done.failure


@pytest.mark.weights
def test_a_study_is_validated_with_a_project(cli, ratings, own_study):
    """`emorank validate --votes PROJECT`, and again when an answer has changed."""
    voted(ratings, "Average")
    done = cli("validate", "--study", own_study.folder, "--votes", ratings)
    assert done.code == 0, done.err
    votes = pd.read_parquet(own_study.path("votes.parquet"))
    assert len(votes) == 72
    assert set(votes["rank"]) == {"Average"}
    project = open_project(ratings)
    room = Room(project, {row.name: row.id for row in progress(project)})
    first = room.showings("r1")[0].id
    submit(project, room.raters["r1"], [Vote("changed-1", first, "Minimal", 700, 0, change=True)])
    project.database.close()
    cli("validate", "--study", own_study.folder, "--votes", ratings)
    assert set(pd.read_parquet(own_study.path("votes.parquet"))["rank"]) == {"Average", "Minimal"}


def test_answers_that_came_too_fast_are_told(cli, drawn, tmp_path):
    """The shortest viewing time of the project; the rest by count and share, of each rater."""
    folder = tmp_path / "ratings"
    asked = ("rate", "new", drawn, "--raters", 2, "--repeats", 0, "--out", folder)
    assert "0<=x<=10" in cli(*asked, "--shortest-viewing", 11).err
    assert cli(*asked, "--shortest-viewing", 0.3).code == 0
    project = open_project(folder)
    assert project.about().shortest_ms == 300
    for rater, times in zip(progress(project), ((300, 400, 500, 299), (900,)), strict=True):
        shown = showings(project, rater.id, 0, len(times))
        votes = [
            Vote(f"v-{row.id}", row.id, "Strong", ms, 0)
            for row, ms in zip(shown, times, strict=True)
        ]
        submit(project, rater.id, votes)
    project.database.close()
    out = cli("rate", "status", folder).out
    assert "under 0.5 s" in out
    assert re.search(r"r1 +3 +24 +0\.4 s +2 \(66\.7%\)", out)
    assert re.search(r"r2 +1 +24 +0\.9 s +0 \(0\.0%\)", out)
    out = cli("rate", "summary", folder).out
    assert "under 0.5 s: 2 (50.0%) of 4 timed answers" in out
    assert re.search(r"r1 .*2 \(66\.7%\)", out)
    told = json.loads(cli("rate", "summary", folder, "--json").out)["speed"]
    assert [(one["timed"], one["fast"]) for one in told] == [(4, 2), (3, 2), (1, 0)]
    cli("rate", "export", folder, "--out", tmp_path / "votes.csv")
    assert set(pd.read_csv(tmp_path / "votes.csv")["shortest_ms"]) == {300}
