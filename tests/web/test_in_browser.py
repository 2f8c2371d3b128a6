"""The rating room in Chromium: under the fingers of raters, before the eyes of the owner.

What is about votes on their way to the database runs on both. What is about the page alone has a
rater of its own in one room, whose server all of these tests share.
"""

import re
import time

import pytest
from tests.rooms import served_room
from tests.web.browsing import READY, WORDS, enter, given, rate, settled, until, violations

from emorank.room.overview import answers, log
from emorank.room.store import close, standing

PAGES = ("refused", "marked", "early", "hidden", "twice", "keyboard", "fits", "held")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A room of ten faces, and the address where it is served."""
    folder = tmp_path_factory.mktemp("pages") / "room"
    with served_room(folder, PAGES, count=10, shortest_ms=0) as found:
        yield found


def test_a_rater_from_the_link_to_the_end(make_room, serve, browse):
    """Thirty by keyboard, back, a change, closed, on in another browser, to the end; the owner
    watches, closes and exports."""  # noqa: D205, D209 - one sentence
    room = make_room(count=36, repeats=0, shortest_ms=100)
    base = serve(room.project.folder).base
    first = browse()
    page = enter(first, base, room.link("r1"))
    keys = [list(WORDS)[number % 5] for number in range(30)]
    rate(page, keys)
    page.wait_for_selector(READY)
    for _ in range(2):
        page.keyboard.press("Backspace")
        page.wait_for_selector(READY)
    assert page.get_attribute("[aria-pressed=true]", "data-answer") == WORDS[keys[28]]
    page.keyboard.press("1" if keys[28] != "1" else "2")
    page.wait_for_selector(READY)
    assert page.text_content("#count") == "Picture 31 of 36"
    assert violations(page) == []
    page.keyboard.press("?")
    page.click("#elsewhere")
    until(page, "document.getElementById('link').textContent.includes('/invite/')")
    assert violations(page) == []
    link = page.text_content("#link").partition(base)[2]
    settled(page)
    assert page.complaints == []
    first.close()

    expected = [WORDS[key] for key in keys]
    expected[28] = "Minimal" if keys[28] != "1" else "Average"
    assert given(room, "r1")[:30] == expected
    assert len(log(room.project).query("kind == 'change'")) == 1

    other = browse(viewport={"width": 390, "height": 844}, has_touch=True)
    page = enter(other, base, link)
    page.wait_for_selector(READY)
    assert page.text_content("#count") == "Picture 31 of 36"
    for _ in range(6):
        page.tap(f"{READY} [data-answer=Strong]")
    page.wait_for_selector("#end:not([hidden])")
    assert page.text_content("#end-heading") == "That was the last picture"
    assert violations(page) == []
    assert given(room, "r1") == expected + ["Strong"] * 6
    assert standing(room.project, room.raters["r1"]).answered == 36

    room.vote_all("r2", lambda showing: "Minimal")
    owner = enter(browse(), base, room.link(None))
    owner.wait_for_selector("#progress tbody tr:nth-child(2)")
    rows = owner.locator("#progress tbody tr").all_text_contents()
    assert [re.search(r"\d+ / \d+", row)[0] for row in rows] == ["36 / 36", "36 / 36"]
    owner.wait_for_selector(".cases img")
    assert "Disputed" in owner.text_content("#answers")
    assert violations(owner) == []
    with owner.expect_download() as download:
        owner.click("text=CSV")
    lines = download.value.path().read_text().splitlines()
    assert len(lines) == 1 + 72
    owner.on("dialog", lambda dialog: dialog.accept())
    owner.click("text=Close the rating")
    owner.wait_for_selector("text=Open again")
    assert owner.complaints == []
    page.reload()
    page.wait_for_selector("#end:not([hidden])")
    assert page.text_content("#end-heading") == "This rating is closed"


def test_two_raters_at_once(make_room, serve, browse):
    """Each in a browser of their own, keys in turn: each one's answers are that one's."""
    room = make_room(count=20, repeats=0, shortest_ms=0)
    base = serve(room.project.folder).base
    pages = {name: enter(browse(), base, room.link(name)) for name in ("r1", "r2")}
    for number in range(20):
        rate(pages["r1"], ["123"[number % 3]])
        rate(pages["r2"], ["321"[number % 3]])
    for page in pages.values():
        page.wait_for_selector("#end:not([hidden])")
        assert page.complaints == []
    assert given(room, "r1") == [WORDS["123"[number % 3]] for number in range(20)]
    assert given(room, "r2") == [WORDS["321"[number % 3]] for number in range(20)]


@pytest.mark.slow
def test_two_thousand_keyboard_votes(make_room, serve, browse, database):
    """Keys pressed without a pause, whether the picture is there or not: not one vote is lost,
    doubled, or given to another picture than the one that was on the screen."""  # noqa: D205, D209
    # In all. Four raters at once, since a page waits for the screen and not for the processor; the
    # keys and the page are the same on both, and PostgreSQL gets fewer.
    count = 400 if database is None else 100
    raters = ("r1", "r2", "r3", "r4")
    room = make_room(count=count, raters=raters, repeats=0, shortest_ms=0)
    base = serve(room.project.folder).base
    small = {"viewport": {"width": 320, "height": 480}}
    pages = {name: enter(browse(**small), base, room.link(name)) for name in raters}
    # Each time the picture is there two keys at once: the second comes too early for the next.
    started, turn, rating = time.monotonic(), 0, dict(pages)
    while rating:
        assert time.monotonic() - started < 240, rating
        for name, page in list(rating.items()):
            page.wait_for_selector(f"{READY}, #end:not([hidden])")
            for key in ("12", "31", "22", "13", "32", "11", "23", "33", "21")[turn % 9]:
                page.keyboard.press(key)
            if turn % 10 == 9 and page.is_visible("#end"):
                del rating[name]
        turn += 1
    for name, page in pages.items():
        assert page.complaints == []
        seen, order = page.evaluate("window.seen"), room.showings(name)
        stored = {row.id: row.answer for row in order}
        assert len(stored) == count
        assert None not in stored.values()
        # A picture keeps the answer of one of the keys pressed while it was on the screen.
        pressed: dict[str, set[str]] = {}
        for picture, key in seen:
            pressed.setdefault(picture, set()).add(WORDS[key])
        assert all(answer in pressed[showing] for showing, answer in stored.items())
        # In the order in which they were shown.
        assert list(dict.fromkeys(picture for picture, _ in seen if picture)) == list(stored)
    events = log(room.project).query("kind == 'vote' or kind == 'change'")
    assert events["kind"].tolist() == ["vote"] * 4 * count
    assert (answers(room.project)["hidden_ms"] == 0).all()


def test_the_server_is_killed_under_a_rater(make_room, serve, browse):
    """`kill -9` in the middle: the page says so, keeps what it has, and sends it when the server is
    back; a new page sends what nobody acknowledged."""  # noqa: D205, D209
    room = make_room(count=30, repeats=0, shortest_ms=100)
    server = serve(room.project.folder)
    page = enter(browse(), server.base, room.link("r1"))
    rate(page, "123")
    settled(page)
    server.kill()
    rate(page, "321")  # on pictures that were loaded ahead
    page.wait_for_selector("#trouble:not([hidden])")
    assert "not stored yet" in page.text_content("#trouble")
    assert given(room, "r1")[:4] == ["Minimal", "Average", "Strong", None]
    server = serve(room.project.folder, server.port)
    settled(page)
    until(page, "document.getElementById('trouble').hidden")
    expected = ["Minimal", "Average", "Strong", "Strong", "Average", "Minimal"]
    assert given(room, "r1")[:7] == [*expected, None]

    server.kill()
    rate(page, "11")
    serve(room.project.folder, server.port)
    page.goto(f"{server.base}/rate")
    page.wait_for_selector(READY)
    assert given(room, "r1")[:9] == [*expected, "Minimal", "Minimal", None]
    assert page.text_content("#count") == "Picture 9 of 30"
    assert len(log(room.project).query("kind == 'vote'")) == 8


@pytest.mark.parametrize("reason", [None, "<b>not</b> now"], ids=["the server's", "markup"])
def test_a_refusal_is_told_as_it_is(served, browse, reason):
    """Its own reason, as text; "closed" only when it is. A clash of ids is one that really comes
    about here, where the browser's random numbers are not random."""  # noqa: D205, D209
    room, base = served
    rater = "marked" if reason else "refused"
    context = browse()
    context.add_init_script("Crypto.prototype.getRandomValues = (array) => array.fill(7)")
    if reason is not None:
        context.route(
            "**/rate/votes", lambda route: route.fulfill(status=409, json={"error": reason})
        )
    page = enter(context, base, room.link(rater))
    rate(page, "1" if reason else "12")
    page.wait_for_selector("#trouble:not([hidden])")
    assert page.text_content("#trouble") == (
        reason or "An answer came twice and differed; load this page anew to go on."
    )
    assert page.is_hidden("#end")
    assert page.get_attribute("#room", "data-ready") == "no"
    assert [answer for answer in given(room, rater) if answer] == ([] if reason else ["Minimal"])
    page.reload()  # what can never be stored is not sent for ever
    page.wait_for_selector(READY)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_closed_under_a_rater(make_room, serve, browse):
    """An answer that comes after the end is told so, with thanks."""
    room = make_room(count=10, repeats=0)
    page = enter(browse(), serve(room.project.folder).base, room.link("r1"))
    page.wait_for_selector(READY)
    close(room.project)
    page.keyboard.press("1")
    page.wait_for_selector("#end:not([hidden])")
    assert page.text_content("#end-heading") == "This rating is closed"
    assert page.is_hidden("#trouble")


def test_a_held_key_is_one_answer(served, browse):
    """Keys that repeat because they are held do not vote through the pictures; the next picture can
    be answered when the key is up."""  # noqa: D205, D209 - one sentence
    room, base = served
    page = enter(browse(), base, room.link("held"))
    page.wait_for_selector(READY)
    for _ in range(8):  # without a keyup between them the browser says `repeat`
        page.keyboard.down("3")
        page.wait_for_timeout(30)
    settled(page)
    until(page, "document.querySelector('#count').textContent.startsWith('Picture 2 ')")
    assert page.get_attribute("#room", "data-ready") == "no"
    page.keyboard.up("3")
    page.wait_for_selector(READY)
    assert [answer for answer in given(room, "held") if answer] == ["Strong"]


def test_keys_before_the_picture_are_ignored(served, browse):
    """While a picture is on its way nothing is answered, however often a key is pressed."""
    room, base = served
    context = browse()
    waiting, held = [], [True]
    context.route(
        "**/rate/picture/*",
        lambda route: waiting.append(route) if held else route.continue_(),
    )
    page = enter(context, base, room.link("early"))
    page.wait_for_selector("#frame[aria-busy=true]")
    for key in "123sf123":
        page.keyboard.press(key)
    page.wait_for_timeout(300)
    assert not any(given(room, "early"))
    assert page.get_attribute("#room", "data-ready") == "no"
    held.clear()
    for route in waiting:
        route.continue_()
    page.wait_for_selector(READY)
    page.keyboard.press("2")
    settled(page)
    assert given(room, "early")[0] == "Average"


def test_hidden_time_is_kept_apart(served, browse):
    """The reaction time has no time in it during which the page was hidden."""
    room, base = served
    page = enter(browse(), base, room.link("hidden"))
    page.wait_for_selector(READY)
    hide = """(hidden) => {
        Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
        document.dispatchEvent(new Event('visibilitychange'));
    }"""
    page.wait_for_timeout(300)
    page.evaluate(hide, True)
    page.wait_for_timeout(1500)
    page.evaluate(hide, False)
    page.keyboard.press("1")
    settled(page)
    row = answers(room.project).query("rater == 'hidden'").iloc[0]
    assert 1400 <= row["hidden_ms"] <= 4000
    assert 250 <= row["reaction_ms"] <= 1400


def test_the_same_rater_in_two_browsers(served, browse):
    """What was acknowledged first stands; the other browser moves to the right place."""
    room, base = served
    context = browse()
    old = enter(context, base, room.link("twice"))
    old.wait_for_selector(READY)
    new = context.new_page()
    new.goto(f"{base}/rate")
    rate(new, "11")
    settled(new)
    old.keyboard.press("3")
    until(old, "document.getElementById('count').textContent.startsWith('Picture 3 ')")
    assert given(room, "twice")[:3] == ["Minimal", "Minimal", None]


def test_the_keyboard_alone_is_enough(served, browse):
    """Tab reaches every button, Enter answers, the focus is seen, and the page speaks."""
    room, base = served
    page = enter(browse(), base, room.link("keyboard"))
    page.wait_for_selector(READY)
    reached = []
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim()"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        if reached[-1].endswith("Average"):
            break
    page.keyboard.press("Enter")
    page.wait_for_selector(READY)
    settled(page)
    assert given(room, "keyboard")[0] == "Average"
    until(page, "document.getElementById('spoken').textContent.includes('picture 2')")
    assert page.get_attribute("#frame img", "alt") == "The face to rate, picture 2"
    names = page.evaluate(
        "[...document.querySelectorAll('button')].map(b => b.textContent.trim()).filter(t => !t)"
    )
    assert names == []


def test_everything_fits_on_one_screen(served, browse):
    """No scrolling while rating, and every button large enough for a thumb."""
    room, base = served
    page = enter(browse(), base, room.link("fits"))
    page.wait_for_selector(READY)
    for width, height in ((1280, 800), (390, 844), (320, 568)):
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme=scheme)
            page.reload()
            page.wait_for_selector(READY)
            size = page.evaluate(
                "(({scrollWidth, scrollHeight}) => [scrollWidth, scrollHeight])"
                "(document.documentElement)"
            )
            assert size[0] <= width, scheme
            assert size[1] <= height, scheme
            for button in page.query_selector_all("[data-answer]"):
                assert button.bounding_box()["height"] >= 40, (width, scheme)
