"""Visitors of a rating room, without a browser and with one; both applications, to be attacked."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from starlette.testclient import TestClient
from tests.rooms import ORIGIN, Room, images, noise
from tests.web.browsing import WITNESS

from emorank.datasets import load
from emorank.reading.ready import ready_network
from emorank.room.creation import create_project
from emorank.room.overview import answers, progress
from emorank.web.desk import Desk
from emorank.web.rating.app import make_app
from emorank.web.safety import Guard, origins
from emorank.web.window.app import make_app as make_window


class Visitor(TestClient):
    """A browser's manners: one origin, one jar of cookies."""

    def __init__(self, app) -> None:
        super().__init__(
            app, base_url=ORIGIN, headers={"Origin": ORIGIN}, raise_server_exceptions=False,
            follow_redirects=False,
        )  # fmt: skip

    def claim(self, link):
        answer = self.post(link)
        assert answer.status_code == 303, answer.text
        return self

    def showings(self, **where):
        return self.get("/rate/showings", params=where).json()["showings"]

    def vote(self, showing, answer="Strong", submission=None, change=False, **more):
        vote = {
            "id": submission or f"vote-{showing}", "showing": showing, "answer": answer,
            "reaction_ms": 700, "hidden_ms": 0, "change": change,
        }  # fmt: skip
        return self.post("/rate/votes", json={"votes": [vote | more]})


@pytest.fixture
def app(room):
    """The application of a room of two raters, on either database."""
    return make_app(room.project, origins(ORIGIN, "127.0.0.1", 8321))


@pytest.fixture
def visit(app, room):
    """Come in: `visit("r1")`, `visit(None)` for the owner, `visit("")` for nobody."""

    def come(name):
        visitor = Visitor(app)
        return visitor if name == "" else visitor.claim(room.link(name))

    return come


@pytest.fixture
def browse(chromium):
    """A browser of one's own, that complains aloud and asks nothing of other hosts."""
    opened = []

    def context(**options):
        made = chromium.new_context(**{"viewport": {"width": 1280, "height": 800}} | options)
        made.set_default_timeout(90_000)
        made.add_init_script(WITNESS)
        opened.append(made)
        return made

    yield context
    for made in opened:
        made.close()


@pytest.fixture(scope="session")
def shared_desk():
    """The shipped network for all applications of these tests; none of them closes it."""
    opened = Desk(None, ready_network())
    opened.close = lambda: None
    yield opened
    Desk.close(opened)


@pytest.fixture(scope="session")
def face_file():
    """The file of a picture with one face, which smiles as strongly as it can."""
    sample = load(None, "sample")
    table = sample.table
    smiles = table[(table["emotion"] == "happy") & (table["frame"] == table["frame"].max())]
    return (sample.root / smiles["image"].iloc[0]).read_bytes()


@dataclass(frozen=True)
class Attacked:
    """An application, and where to attack it.

    Attributes:
        app: behind its guard.
        visitor: somebody who may ask.
        page, script: addresses of a page and of a static file.
        posts: addresses that somebody's browser could be made to post to.
        broken: a function that the first page needs, and a page that then fails.
        unchanged: whether everything is as it was.
    """

    app: Guard
    visitor: Visitor
    page: str
    script: str
    posts: tuple[str, ...]
    broken: tuple[str, str]
    unchanged: Callable[[], bool]


def _rating_room(folder):
    project = create_project(folder, images(6), noise, ["r1"])
    room = Room(project, {row.name: row.id for row in progress(project)})
    app = make_app(project, origins(ORIGIN, "127.0.0.1", 8321))
    owner = Visitor(app).claim(room.link("r1")).claim(room.link(None))
    return Attacked(
        app, owner, "/owner", "/static/rating/rate.js",
        ("/owner/close", "/rate/votes", "/rate/link", room.link("r1")),
        ("emorank.web.rating.rater.standing", "/rate/showings"),
        lambda: project.about().closed_at is None and answers(project).empty,
    ), project.database.close  # fmt: skip


def _window(desk):
    app = make_window(desk, origins(ORIGIN, "127.0.0.1", 8321))
    done = desk.begun
    return Attacked(
        app, Visitor(app), "/", "/static/htmx.min.js",
        ("/v1/faces", "/v1/explanations", "/key"),
        ("emorank.web.service.api.networks", "/v1/networks"),
        lambda: not any(done().values()),
    ), lambda: None  # fmt: skip


@pytest.fixture(params=["room", "window"])
def attacked(request, tmp_path):
    """The rating room (in a file), and the window with its service: what is true of both."""
    if request.param == "room":
        made, close = _rating_room(tmp_path / "attacked")
    else:
        made, close = _window(request.getfixturevalue("shared_desk"))
    yield made
    close()
