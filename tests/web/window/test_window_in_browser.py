"""The window in Chromium: under the fingers of people, before their eyes, and read aloud."""

import base64
import csv
import io
import json
import re

import pytest
from PIL import Image
from tests.web.browsing import open_page, until, violations

READY = "#reading[aria-busy=false]"
LOADED = """document.querySelector('#pixels').naturalWidth > 0
  && !document.querySelector('#heatmap').hidden"""
# Files as a browser hands them to the page that they are dropped on, or pasted into.
HAND_OVER = """([kind, files]) => {
  const given = new DataTransfer();
  for (const [name, content] of files) {
    const bytes = Uint8Array.from(atob(content), (one) => one.charCodeAt(0));
    given.items.add(new File([bytes], name, { type: "image/jpeg" }));
  }
  const options = { bubbles: true, cancelable: true };
  if (kind === "paste") {
    document.dispatchEvent(new ClipboardEvent(kind, { ...options, clipboardData: given }));
  } else {
    document.body.dispatchEvent(new DragEvent("dragover", { ...options, dataTransfer: given }));
    document.body.dispatchEvent(new DragEvent(kind, { ...options, dataTransfer: given }));
  }
}"""

TOO_LARGE = """() => {
  const given = new DataTransfer();
  given.items.add(new File([new Uint8Array(33e6)], "large.jpg"));
  document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, dataTransfer: given }));
}"""


def hand_over(page, kind, *files):
    encoded = [(name, base64.b64encode(data).decode()) for name, data in files]
    page.evaluate(HAND_OVER, [kind, encoded])


def status(page, pattern):
    """Wait for what the page says."""
    found = json.dumps(pattern)
    until(page, f"new RegExp({found}).test(document.getElementById('status').textContent)")


def verdict(page):
    page.wait_for_selector(READY)
    return page.text_content(".verdict")


@pytest.fixture(scope="module")
def two_faces(faces):
    """A picture with a smiling face at the left and a surprised one at the right."""
    both = Image.new("RGB", (520, 260), (128, 128, 128))
    for place, name in ((10, "p02_happy_4"), (280, "p05_surprise_4")):
        both.paste(Image.open(faces / f"{name}.jpg"), (place, 20))
    buffer = io.BytesIO()
    both.save(buffer, "PNG")
    return buffer.getvalue()


def test_pictures_come_in_by_every_way_and_are_looked_at(window, browse, faces, two_faces):
    """Chosen, dropped, pasted; by mouse and keyboard; asked, sorted, saved, copied, forgotten."""
    context = browse(permissions=["clipboard-read", "clipboard-write"])
    page = open_page(context, window.base)
    assert verdict(page) == "Happy · Strong"  # without a click
    assert page.text_content("#name") == "a rendered face of the sample"
    until(page, LOADED)
    assert not page.is_visible("#all")
    assert violations(page) == []

    with page.expect_file_chooser() as chooser:
        page.click("#choose")
    bad = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"hello"}
    fear = {"name": "fear.jpg", "mimeType": "", "buffer": (faces / "p02_fear_4.jpg").read_bytes()}
    chooser.value.set_files([bad, fear])
    status(page, "^1 picture read, 1 not")
    assert page.text_content("#trouble-list li").startswith("notes.txt: is a text file")
    assert verdict(page) == "Fear · Strong"
    page.click("#clear-troubles")
    page.evaluate(TOO_LARGE)
    status(page, "^large.jpg: has 33.0 MB; expected at most 32 MB")
    hand_over(page, "drop", ("party.png", two_faces))
    status(page, "^2 faces. party.png, face 1: ")
    assert page.text_content("#about") == "520 × 260 pixels; 2 faces"
    hand_over(page, "paste", ("image.png", (faces / "p05_happy_3.jpg").read_bytes()))
    status(page, r"^pasted 1\.jpeg, face 1: happy")
    assert verdict(page) == "Happy · Minimal"
    assert page.locator("#grid button").count() == 4
    assert violations(page) == []

    page.select_option("#sort", "strength")
    words = page.locator("#grid .file").all_text_contents()
    assert [words[0], words[-1]] == ["party.png, face 1", "pasted 1.jpeg"]
    page.select_option("#sort", "emotion")
    assert page.locator("#grid .word").all_text_contents() == ["fear", "happy", "happy", "surprise"]
    page.locator("#grid button").first.focus()
    for key in ("End", "ArrowLeft", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    status(page, "party.png, face 2: surprise|party.png, face 1: surprise")
    assert verdict(page) == "Surprise · Strong"
    page.keyboard.press("Tab")  # on to the boxes in the picture
    until(page, "document.activeElement.parentElement.id === 'boxes'")
    page.locator("#boxes button", has_text="happy").focus()
    page.keyboard.press("Enter")
    status(page, "party.png, face .: happy")
    assert page.locator("#boxes [aria-current=true]").text_content().endswith(": happy, Strong")

    shown = page.get_attribute("#heatmap", "src")
    page.select_option("[name=against]", "fear")
    until(page, "document.getElementById('why').textContent.includes('Why happy, and not fear?')")
    page.check("[name=channel][value=blue]")
    until(page, "document.getElementById('why').textContent.includes('The blue channel')")
    assert page.get_attribute("#heatmap", "src") != shown
    page.focus("#opacity")
    page.keyboard.press("Home")
    assert page.evaluate("document.getElementById('heatmap').style.opacity") == "0"
    page.locator("#grid button", has_text="fear.jpg").click()
    status(page, "fear.jpg, face 1")
    assert page.input_value("[name=against]") == ""  # fear is not held against itself
    assert "Why fear, and not neutral?" in page.text_content("#why")

    for button, name, form in (
        ("[data-save='figure.png']", "fear_relevance.png", b"\x89PNG"),
        ("[data-save='row.json']", "fear.json", b"["),
        ("[data-save='row.csv']", "fear.csv", b"image,face,"),
        ("[data-rows=csv]", "faces.csv", b"image,face,"),
    ):
        with page.expect_download() as download:
            page.click(button)
        assert download.value.suggested_filename == name
        content = download.value.path().read_bytes()
        assert content.startswith(form)
    rows = list(csv.DictReader(content.decode().splitlines()))
    assert [row["expressed"] for row in rows] == ["fear", "happy", "happy", "surprise"]
    page.click("#copy")
    status(page, "^Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(r"fear\.jpg, face 1: fear 1\.00, Strong \(.*\)", copied)
    page.click("#forget")
    status(page, "^All pictures are forgotten")
    assert page.text_content("#name") == "a rendered face of the sample"
    assert not page.is_visible("#all")
    (complaint,) = page.complaints  # the browser's own, of the text file
    assert "422" in complaint


def test_on_a_phone_in_the_dark(window, browse, faces, two_faces):
    """Nothing is wider than the screen; a busy or silent server is asked again, as is said; an
    answer that comes too late changes nothing."""  # noqa: D205, D209 - one sentence
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    context = browse(**phone, color_scheme="dark")
    held = []
    context.route("**/window/example", lambda route: held.append(route))
    page = open_page(context, window.base)
    answers = iter(["429", "gone"])

    def sometimes(route):
        match next(answers, None):
            case "429":
                route.fulfill(status=429, body='{"error": "busy"}', headers={"Retry-After": "1"})
            case "gone":
                route.abort()
            case _:
                route.continue_()

    page.route("**/window/pictures?*", sometimes)
    assert page.is_visible("#photograph")
    with page.expect_file_chooser() as chooser:
        page.tap("#photograph")
    chooser.value.set_files([{"name": "two.png", "mimeType": "image/png", "buffer": two_faces}])
    status(page, "busy; the page tries again")
    status(page, "does not answer. The page tries again")
    status(page, "^2 faces. two.png, face 1")
    assert page.get_attribute("#photo", "capture") == "environment"
    held[0].continue_()  # the example comes too late
    late = []
    page.route(re.compile("/window/faces/.*against=fear"), lambda route: late.append(route))
    page.select_option("[name=against]", "fear")
    page.select_option("[name=against]", "nothing")
    until(page, "document.getElementById('why').textContent.includes('Why surprise?')")
    with page.expect_response(re.compile("against=fear")) as response:
        late[0].continue_()  # as does the answer to an earlier question
    assert "not fear" in response.value.text()
    page.wait_for_timeout(300)
    assert "Why surprise?" in page.text_content("#why")
    assert page.text_content("#name") == "two.png"
    page.locator("#boxes button").nth(1).tap()
    page.wait_for_selector(READY)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert violations(page) == []
    # What the browser itself says of the answers that failed.
    assert [one for one in page.complaints if "Failed to load resource" not in one] == []
