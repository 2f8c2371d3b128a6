"""Visitors of a rating room, without a browser and with one."""

import pytest
from starlette.testclient import TestClient
from tests.rooms import ORIGIN
from tests.web.browsing import WITNESS

from emorank.web.rating.app import make_app
from emorank.web.safety import origins


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
