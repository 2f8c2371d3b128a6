"""Raters' browsers for tests: claim a link, rate, and wait for what the page says."""

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


def enter(context, base, link):
    """Claim a link; the page that follows. What goes wrong on it is kept in `page.complaints`."""
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on(
        "request",
        lambda request: request.url.startswith(base) or page.complaints.append(request.url),
    )
    page.goto(base + link)
    page.click("button[type=submit]")
    return page


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
