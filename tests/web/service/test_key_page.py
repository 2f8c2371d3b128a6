"""The page that asks a browser for a key, in Chromium."""

import threading
import time

import pytest
from tests.web.browsing import open_page, violations

from emorank.web.safety import origins
from emorank.web.serve import listen, server
from emorank.web.service.keys import Keys
from emorank.web.window.app import make_app


@pytest.fixture
def lab(shared_desk, tmp_path, monkeypatch):
    """A server that others can reach: its address, and a key."""
    monkeypatch.setenv("EMORANK_DATA", str(tmp_path))
    _, secret = Keys().new()
    place = listen("127.0.0.1", 0)
    port = place.getsockname()[1]
    base = f"http://lab.localhost:{port}"
    ready = server(make_app(shared_desk, origins(base, "127.0.0.1", port)), "127.0.0.1", port)
    thread = threading.Thread(target=ready.run, kwargs={"sockets": [place]})
    thread.start()
    while not ready.started:
        time.sleep(0.01)
    yield base, secret
    ready.should_exit = True
    thread.join()


def test_a_browser_comes_in_and_leaves(lab, browse):
    """A wrong key is told, the right one opens the window; nobody is kept out by the looks."""
    base, secret = lab
    page = open_page(browse(), base)
    assert violations(page) == []
    page.fill("#key", "wrong")
    page.keyboard.press("Enter")
    assert page.text_content("form [role=status]") == "This key is not known (any longer)."
    page.fill("#key", secret)
    page.keyboard.press("Enter")
    page.wait_for_selector("#window")
    cookies = page.context.cookies()
    assert [(one["httpOnly"], one["sameSite"]) for one in cookies] == [(True, "Strict")]
    page.goto(f"{base}/key")
    assert violations(page) == []
    page.click("text=Forget this browser")
    page.wait_for_selector("#key")
    assert page.context.cookies() == []
    expected = ("401", "username fields")  # the two refusals, and advice that keys do not need
    assert [one for one in page.complaints if not any(word in one for word in expected)] == []
