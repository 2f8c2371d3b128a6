"""Hasty fingers, foreign keyboards, and servers that hang: the rater's page in Chromium.

One room, one server and one browser for all of them; each test has a rater of its own.
"""

import time

import pytest
from tests.rooms import served_room
from tests.web.browsing import READY, enter, settled, until

from emorank.room.overview import answers, log

# Longer than the default, so that a machine that is slow makes no double click of two late ones.
SHORTEST = 600


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A room of twenty faces that is served; the raters' names say which test is theirs."""
    names = (
        "clicks",
        "taps",
        "keys",
        "focus",
        "places",
        "hangs",
        "leaves",
        "other",
        "back",
        "soon",
    )
    folder = tmp_path_factory.mktemp("fingers") / "room"
    with served_room(folder, names, count=20, shortest_ms=SHORTEST) as found:
        yield found


def come(served, context, name):
    """The page of a rater, ready for the first answer."""
    room, base = served
    page = enter(context, base, room.link(name))
    page.wait_for_selector(READY)
    return page


def given(served, name):
    """The answers of a rater so far, in the order in which they were stored."""
    events = log(served[0].project)
    return events[(events["rater"] == name) & events["answer"].notna()]["answer"].tolist()


def middle(page, answer):
    box = page.locator(f"[data-answer={answer}]").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_double_click_is_one_answer(served, browse):
    """The second click belongs to no face; the next single click answers the next one."""
    page = come(served, browse(), "clicks")
    place = middle(page, "Average")
    for gap in (60, 120, 200):
        page.wait_for_selector(READY)
        for pause in (gap, 0):
            page.mouse.click(*place)
            page.wait_for_timeout(pause)
    page.wait_for_selector(READY)
    page.mouse.click(*place)
    settled(page)
    assert given(served, "clicks") == ["Average"] * 4
    stored = answers(served[0].project).query("rater == 'clicks'")
    assert stored["reaction_ms"].min() >= SHORTEST
    assert page.complaints == []


def test_a_double_tap_is_one_answer(served, browse):
    """On a telephone too."""
    page = come(served, browse(viewport={"width": 390, "height": 844}, has_touch=True), "taps")
    place = middle(page, "Strong")
    for gap in (60, 200):
        page.wait_for_selector(READY)
        for pause in (gap, 0):
            page.touchscreen.tap(*place)
            page.wait_for_timeout(pause)
    settled(page)
    assert given(served, "taps") == ["Strong"] * 2


def test_mashed_keys_are_at_most_one_answer_per_viewing_time(served, browse):
    """Sixty keys one after another: as many answers as faces could be seen meanwhile."""
    page = come(served, browse(), "keys")
    started = time.monotonic()
    for number in range(60):
        page.keyboard.press("123sf"[number % 5])
        page.wait_for_timeout(10)
    most = 1 + (time.monotonic() - started) * 1000 / SHORTEST
    settled(page)
    assert 1 <= len(given(served, "keys")) <= most
    assert answers(served[0].project).query("rater == 'keys'")["reaction_ms"].min() >= SHORTEST


def test_buttons_that_do_not_count_yet_say_so_and_keep_the_focus(served, browse):
    """Disabled in words and looks, not in fact; a press that began too early does not count."""
    page = come(served, browse(), "focus")
    button = page.locator("[data-answer=Minimal]")
    button.focus()
    # A key that stays down keeps the buttons from counting for as long as the test looks at them.
    page.keyboard.down("Enter")
    until(page, "document.querySelector('#count').textContent.startsWith('Picture 2 ')")
    assert button.get_attribute("aria-disabled") == "true"
    assert page.evaluate("document.activeElement.dataset.answer") == "Minimal"
    button.evaluate("(button) => button.click()")  # a screen reader's, without a press
    page.keyboard.down("Space")  # it clicks when it comes up
    page.keyboard.up("Enter")
    page.wait_for_timeout(SHORTEST + 200)
    assert button.get_attribute("aria-disabled") == "true"
    page.keyboard.up("Space")
    page.wait_for_selector(READY)
    assert button.get_attribute("aria-disabled") == "false"
    settled(page)
    assert given(served, "focus") == ["Minimal"]
    page.wait_for_timeout(500)
    button.evaluate("(button) => button.click()")
    settled(page)
    assert given(served, "focus") == ["Minimal"] * 2


def test_keys_count_by_what_they_type_and_by_their_place(served, browse):
    """French digits, Russian letters, a Dvorak S, the block of digits without NumLock; the buttons
    show the letter that is on the key."""  # noqa: D205, D209 - one sentence
    context = browse()
    context.add_init_script(
        "Object.defineProperty(navigator, 'keyboard', {value: {getLayoutMap: async () => "
        "new Map([['KeyS', 'ы'], ['KeyF', 'а']])}})"
    )
    page = come(served, context, "places")
    keys = page.context.new_cdp_session(page)
    pressed = {
        ("Digit1", "&"): "Minimal", ("Digit2", "é"): "Average", ("Numpad3", "PageDown"): "Strong",
        ("KeyS", "ы"): "Skip", ("KeyF", "а"): "None", ("Semicolon", "s"): "Skip",
        ("KeyJ", "о"): None, ("Digit4", "'"): None,
    }  # fmt: skip
    for code, key in pressed:
        page.wait_for_selector(READY)
        for kind in ("rawKeyDown", "keyUp"):
            keys.send("Input.dispatchKeyEvent", {"type": kind, "code": code, "key": key})
    settled(page)
    assert given(served, "places") == [answer for answer in pressed.values() if answer]
    assert page.text_content("[data-answer=Skip] kbd") == "Ы"
    assert page.text_content("kbd[data-of=None]") == "А"


def test_a_server_that_hangs_is_told_and_asked_again(served, browse):
    """First votes, then pictures: the page says what it waits for, and goes on by itself."""
    context = browse()
    # Ten seconds of patience are half a second here.
    context.add_init_script(
        "const real = setTimeout;"
        "window.setTimeout = (call, ms, ...rest) => real(call, ms >= 10000 ? 500 : ms, ...rest)"
    )
    page = come(served, context, "hangs")
    hanging = [True]
    context.route("**/rate/votes", lambda route: hanging or route.continue_())
    page.keyboard.press("2")
    page.wait_for_selector("#trouble:not([hidden])")
    words = page.text_content("#trouble")
    assert words.startswith("Waiting for the server")
    assert "Answers not stored yet: 1. This browser keeps them" in words
    hanging.clear()
    settled(page)  # by another request: the first is never answered
    page.wait_for_selector("#trouble", state="hidden")
    assert given(served, "hangs") == ["Average"]

    hanging.append(True)
    context.route("**/rate/picture/*", lambda route: hanging or route.continue_())
    page.reload()
    page.wait_for_selector("#waiting:visible")
    page.wait_for_selector("#trouble:not([hidden])")
    page.keyboard.press("3")
    page.click("#back")  # there is a picture that waits, too
    hanging.clear()
    page.wait_for_selector(READY)
    assert page.is_hidden("#trouble")
    assert page.text_content("#count") == "Picture 1 of 20"
    assert given(served, "hangs") == ["Average"]


def test_answers_given_offline_outlive_their_tab(served, browse):
    """The next page of the same rater sends them, once, with what was undone; nobody else's."""
    room, _ = served
    context = browse()
    page = come(served, context, "leaves")
    loaded = "performance.getEntriesByType('resource').filter((e) => e.name.includes('/picture/'))"
    until(page, f"{loaded}.length > 8")  # that many are loaded ahead
    context.set_offline(True)
    for key in ("1", "2", "Backspace", "3"):
        page.wait_for_selector(READY)
        page.keyboard.press(key)
    page.wait_for_selector("#trouble:not([hidden])")
    until(page, "document.getElementById('trouble').textContent.includes('not stored yet: 3')")
    assert page.text_content("#trouble").startswith("No network")
    assert "This browser keeps them" in page.text_content("#trouble")
    page.keyboard.press("?")
    page.click("form[data-post] button")  # signing out would leave them here
    assert "Answers not stored yet: 3" in page.text_content("#leaving")
    page.close()
    assert given(served, "leaves") == []
    context.set_offline(False)

    other = come(served, context, "other")
    assert other.text_content("#count") == "Picture 1 of 20"
    assert given(served, "other") == []
    page = come(served, context, "leaves")
    assert page.text_content("#count") == "Picture 3 of 20"
    assert given(served, "leaves") == ["Minimal", "Average", "Strong"]
    assert [row.answer for row in room.showings("leaves")[:3]] == ["Minimal", "Strong", None]
    for spoilt in ("null", "5", "{bad", '{"id": "x"}'):  # what no page has written is let go
        page.evaluate(
            "text => localStorage.setItem("
            "`emorank/${document.getElementById('room').dataset.keep}/${text}`, text)",
            spoilt,
        )
    page.reload()
    page.wait_for_selector(READY)
    assert len(given(served, "leaves")) == 3
    assert page.evaluate("Object.keys(localStorage)") == []


def test_the_back_button_does_not_lead_to_a_used_link(served, browse):
    """The claimed link is no page of the history."""
    page = come(served, browse(), "back")
    page.go_back()
    assert "/invite/" not in page.url
    page.go_forward()
    page.wait_for_selector(READY)


def test_an_answer_that_the_server_finds_too_fast_is_asked_again(served, browse):
    """The page goes back to that face and says why."""
    context = browse()
    page = come(served, context, "soon")

    def hurry(route):
        body = route.request.post_data_json
        for vote in body["votes"]:
            vote["reaction_ms"] = SHORTEST - 1
        route.continue_(post_data=body)

    context.route("**/rate/votes", hurry)  # also if the page asks again, on a slow machine
    page.keyboard.press("1")
    until(page, "document.getElementById('trouble').textContent.includes('came too soon')")
    context.unroute("**/rate/votes")
    page.wait_for_selector(READY)
    assert page.text_content("#count") == "Picture 1 of 20"
    page.keyboard.press("2")
    settled(page)
    assert given(served, "soon") == ["Average"]
