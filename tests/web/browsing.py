"""Browsers for tests: open a page, claim a link, rate, and wait for what the page says."""

from axe_playwright_python.sync_playwright import Axe

READY = "#room[data-ready=yes]"
WORDS = {"1": "Minimal", "2": "Average", "3": "Strong", "s": "Skip", "f": "None"}
# Notes, before the page's own listener sees a key, which picture is on the screen at that moment.
# What the page takes for ready is not asked: whether a key counted is read from the database.
WITNESS = """
window.seen = [];
window.addEventListener("keydown", (event) => {
  const image = document.querySelector("#frame img");
  window.seen.push([image ? image.src.split("/").pop() : null, event.key]);
}, true);
"""


def open_page(context, base, path="/"):
    """Open a page. What goes wrong on it, or is asked of others, is kept in `page.complaints`."""
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    own = (base, f"blob:{base}", "data:")
    page.on(
        "request",
        lambda request: request.url.startswith(own) or page.complaints.append(request.url),
    )
    page.goto(base + path)
    return page


def enter(context, base, link):
    """Claim a link; the page that follows."""
    page = open_page(context, base, link)
    page.click("button[type=submit]")
    return page


def violations(page):
    """What axe-core finds that keeps people out: rule, and the first element, of each violation."""
    found = Axe().run(page).response["violations"]
    return [(one["id"], one["nodes"][0]["html"][:120]) for one in found]


def rate(page, keys):
    """Press each key as soon as the picture is there."""
    for key in keys:
        page.wait_for_selector(READY)
        page.keyboard.press(key)


def until(page, condition):
    """Wait for a condition; `wait_for_function` would need what the page's policy forbids."""
    for _ in range(1200):  # a minute, for machines that are slow
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(condition)


def settled(page):
    """Wait until the server has acknowledged everything."""
    until(page, "document.getElementById('room').dataset.unsaved === '0'")


def given(room, name):
    """The answers of a rater in the order of the showings."""
    return [row.answer for row in room.showings(name)]
