"""The camera: what the server takes and says, and the page in Chromium with a film of faces."""

import contextlib
import csv
import io
import json
import os
import signal
import struct
import subprocess
import sys
import time
import urllib.request
from http.client import HTTPException

import numpy as np
import pytest
from PIL import Image
from tests.fake_camera import FLAGS, scene, write_y4m
from tests.rooms import free_port
from tests.web.browsing import until, violations
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from emorank.web.window import camera


def jpeg(rgb):
    """A frame as browsers send it."""
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def film():
    """A smile that comes and goes."""
    return list(scene("p01", "happy", 16))


class Visitor:
    """A page's camera without a page."""

    def __init__(self, port, origin=None):
        self.opening = connect(
            f"ws://127.0.0.1:{port}{camera.PATH}", origin=origin or f"http://127.0.0.1:{port}",
            compression=None, close_timeout=2,
        )  # fmt: skip

    def show(self, number, content):
        self.line.send(struct.pack(">I", number) + content)

    def hear(self):
        """The next answer, or (number, place, picture) of a heatmap."""
        said = self.line.recv(timeout=60)
        if isinstance(said, str):
            return json.loads(said)
        number, *place = struct.unpack_from(">I6f", said)
        return number, place, Image.open(io.BytesIO(said[28:]))

    def see(self, number, content):
        self.show(number, content)
        return self.hear()

    def __enter__(self):
        self.line = self.opening.__enter__()
        return self

    def __exit__(self, *error):
        self.opening.__exit__(*error)


@pytest.fixture
def port(window):
    """Where the window is served."""
    return int(window.base.rpartition(":")[2])


def test_what_is_seen_is_said_frame_by_frame(port, film):
    """Rows, strengths, size; an own neutral face that is taken, brought along, forgotten."""
    with Visitor(port) as visitor:
        first = visitor.see(7, jpeg(film[0]))
        assert (first["frame"], first["size"], first["neutral"]) == (7, [640, 480], None)
        (face,) = first["faces"]
        row = face["row"]
        assert {"face", "box_left", "predicted", "p_happy", "expressed", "rank", "score"} <= set(
            row
        )
        assert "image" not in row
        assert face["strengths"][row["expressed"]][0] == pytest.approx(row["log_odds"], abs=1e-3)
        visitor.line.send(json.dumps({"neutral": "take"}))
        took = visitor.see(8, jpeg(film[0]))
        assert took["took"] is True
        assert set(took["neutral"]) == set(face["strengths"])
        assert took["faces"][0]["row"]["rank"] == "None"
        assert "took" not in visitor.see(9, jpeg(film[0]))
        visitor.line.send('{"neutral": null}')
        assert visitor.see(10, jpeg(film[0]))["neutral"] is None
        visitor.line.send(json.dumps({"neutral": took["neutral"]}))
        assert visitor.see(11, jpeg(film[0]))["neutral"] == took["neutral"]


def test_heatmaps_come_where_they_are_asked_for(port, film):
    """With the number of the frame, and where in it they lie."""
    with Visitor(port) as visitor:
        assert visitor.see(1, jpeg(film[8]))["frame"] == 1
        visitor.line.send('{"heatmap": true}')
        assert visitor.see(2, jpeg(film[8]))["frame"] == 2
        number, (a, b, left, c, _, top), picture = visitor.hear()
        assert (number, picture.mode, picture.size) == (2, "RGBA", (112, 112))
        assert np.hypot(a, c) == pytest.approx(np.hypot(a, b), rel=0.05)
        assert 150 < left < 300
        assert 60 < top < 250


def test_a_large_network_sends_every_second_heatmap_with_its_frame(window, port, film, monkeypatch):
    """What is said of the frame comes first; a frame without a face has no map."""
    monkeypatch.setitem(vars(window.desk.network), "large", True)
    with Visitor(port) as visitor:
        visitor.line.send('{"heatmap": true}')
        for number in (1, 3):
            answer = visitor.see(number, jpeg(film[8]))
            assert (answer["frame"], len(answer["faces"])) == (number, 1)
            assert visitor.hear()[0] == number
            assert visitor.see(number + 1, jpeg(film[8]))["frame"] == number + 1
        assert visitor.see(5, jpeg(np.full((60, 80, 3), 90, np.uint8)))["faces"] == []
        assert visitor.see(6, b"broken")["error"]


def test_a_broken_frame_is_named_and_the_next_is_read(port, film):
    """No picture, half a picture, a picture of nothing: the camera goes on."""
    whole = jpeg(film[0])
    with Visitor(port) as visitor:
        for number, content in enumerate((b"<svg>", whole[:900], bytes(30))):
            answer = visitor.see(number, content)
            assert answer["frame"] == number
            assert f"frame {number}" in answer["error"]
        assert visitor.see(4, jpeg(np.full((480, 640, 3), 90, np.uint8)))["faces"] == []
        assert len(visitor.see(5, whole)["faces"]) == 1


def test_only_the_newest_frame_counts(port, film):
    """Sent all at once, most are never read, and the last one is."""
    with Visitor(port) as visitor:
        frames = [jpeg(frame) for frame in film]
        for number in range(300):
            visitor.show(number, frames[number % len(frames)])
        heard = [visitor.hear() for _ in range(300)]
    read = [answer["frame"] for answer in heard if "faces" in answer]
    assert read == sorted(read)
    assert read[-1] == 299
    assert len(read) < 150
    dropped = {answer["frame"] for answer in heard if answer.get("dropped")}
    assert dropped == set(range(300)) - set(read)


@pytest.mark.parametrize(
    "said",
    [
        "", "nothing", "[]", "{}", '{"heatmap": 1}', '{"neutral": "me"}', '{"neutral": {"joy": 1}}',
        '{"neutral": {"happy": NaN}}', '{"neutral": {"happy": 1e999}}', '{"path": "/etc/passwd"}',
        '{"neutral": {"happy": 1' + "0" * 400 + "}}", "[" * 100_000, b"", b"1234",
    ],
    ids=lambda said: repr(said[:24]),
)  # fmt: skip
def test_what_no_page_says_ends_the_camera(port, said):
    """With a reason, and nothing is done."""
    with Visitor(port) as visitor:
        visitor.line.send(said)
        with pytest.raises(ConnectionClosed) as closed:
            visitor.hear()
        assert closed.value.rcvd.code == 1008


def test_another_site_gets_no_camera(port):
    """Its pages may not even connect."""
    with pytest.raises(InvalidStatus), Visitor(port, "https://evil.example"):
        pass


def test_only_so_many_cameras_are_read_at_once(window, port, film):
    """Two see what each shows; one too many is told to come later; then there is room again."""
    cameras = window.app.app.state.cameras
    with Visitor(port) as one, Visitor(port) as two:
        one.show(1, jpeg(film[0]))
        two.show(2, jpeg(np.full((60, 80, 3), 90, np.uint8)))
        assert (one.hear()["size"], two.hear()["size"]) == ([640, 480], [80, 60])
        with contextlib.ExitStack() as stack:
            for _ in range(cameras.most - 2):
                visitor = stack.enter_context(Visitor(port))
                assert visitor.see(3, jpeg(film[0]))["frame"] == 3
            with Visitor(port) as another, pytest.raises(ConnectionClosed) as closed:
                another.hear()
        assert (closed.value.rcvd.code, "try again later" in closed.value.rcvd.reason) == (
            1013,
            True,
        )
    for _ in range(100):
        if cameras.now == 0:
            break
        time.sleep(0.05)
    with Visitor(port) as visitor:
        assert visitor.see(1, jpeg(film[0]))["frame"] == 1


def test_a_camera_without_frames_is_taken_for_switched_off(port, monkeypatch):
    """After a minute, with a code that the page knows."""
    monkeypatch.setattr(camera, "IDLE", 0.2)
    with Visitor(port) as visitor, pytest.raises(ConnectionClosed) as closed:
        visitor.hear()
    assert closed.value.rcvd.code == 4000


# --- The page -----------------------------------------------------------------------------------

STATE = "document.getElementById('camera').dataset.state"
HEATED = "window.heated > 3"
LISTEN = """
window.drawn = []; window.heated = 0;
document.addEventListener("camera:drawn", ({ detail }) => window.drawn.push(detail));
document.addEventListener("camera:heatmap", () => { window.heated += 1; });
"""


HIDDEN = """(hidden) => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


class Serving:
    """`emorank serve` in a process of its own."""

    def __init__(self, port):
        self.port = port
        self.base = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "emorank", "serve", "--no-browser", "--port", str(port)]
        )
        for _ in range(900):
            try:
                urllib.request.urlopen(f"{self.base}/healthz", timeout=5)  # noqa: S310 - loopback
                return
            except (OSError, HTTPException):
                assert self.process.poll() is None
                time.sleep(0.1)

    def kill(self):
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def film_of_camera(tmp_path):
    """A camera of 320×240."""
    frames = scene("p01", "happy", 24, (320, 240), 190)
    return write_y4m(tmp_path / "camera.y4m", frames, 10)


def open_page(browser, base, **options):
    """A page, with what it complained of."""
    page = browser.new_context(**options).new_page()
    page.complaints = []
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.add_init_script(LISTEN)
    page.goto(base)
    return page


def saved(page, press):
    """What the page lets the person save."""
    with page.expect_download() as download:
        page.click(press)
    return download.value.path().read_bytes(), download.value.suggested_filename


def test_a_walk_with_the_camera(film_of_camera, launch):
    """On, labels, heatmap, N, record, snapshot, pause, hidden, the server killed and back, off."""
    serving = Serving(free_port())
    browser = launch(*FLAGS, f"--use-file-for-fake-video-capture={film_of_camera}")
    try:
        page = open_page(browser, serving.base)
        page.keyboard.press("n")  # nothing is on: nothing happens
        page.click("#camera-start")
        until(page, HEATED)
        until(page, "document.getElementById('camera-said').textContent !== ''")
        assert "frames a second" in page.text_content("#camera-pace")
        assert page.evaluate("window.drawn.at(-1).faces") == 1
        inked = (
            "(one) => one.getContext('2d').getImageData(0, 0, one.width, one.height)"
            ".data.some((value) => value)"
        )
        for canvas in ("boxes", "heat", "strips"):
            assert page.eval_on_selector(f"#camera-{canvas}", inked)

        assert violations(page) == []

        page.click("#camera-record")
        page.keyboard.press("n")
        page.wait_for_selector("#camera-forget:visible")
        page.wait_for_timeout(500)
        page.click("#camera-record")
        table, name = saved(page, "#camera-csv")
        rows = list(csv.DictReader(io.StringIO(table.decode())))
        assert name.endswith(".csv")
        assert rows[-1]["own_neutral"]
        assert float(rows[-1]["seconds"]) > 0
        assert json.loads(saved(page, "#camera-json")[0])[0]["frame"] == int(rows[0]["frame"])
        assert page.is_hidden("#camera-webm")
        picture, _ = saved(page, "#camera-snapshot")
        assert Image.open(io.BytesIO(picture)).size == (320, 240)

        page.click("#camera-pause")
        assert page.evaluate(STATE) == "paused"
        page.wait_for_timeout(300)
        before = page.evaluate("window.drawn.length")
        page.wait_for_timeout(500)
        assert page.evaluate("window.drawn.length") == before
        page.click("#camera-pause")
        until(page, f"window.drawn.length > {before}")

        page.evaluate(HIDDEN, True)
        assert page.evaluate(STATE) == "paused"
        page.evaluate(HIDDEN, False)
        until(page, f"{STATE} === 'on'")

        serving.kill()
        until(page, f"{STATE} === 'lost'")
        assert "tried again" in page.text_content("#camera-trouble")
        drawn = page.evaluate("window.drawn.length")
        serving = Serving(serving.port)
        until(page, f"window.drawn.length > {drawn} && {STATE} === 'on'")
        assert page.is_hidden("#camera-trouble")
        assert page.is_visible("#camera-forget")  # the own neutral face came along

        page.set_viewport_size({"width": 390, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.check("#camera-film")
        page.click("#camera-record")
        page.wait_for_timeout(1500)
        page.click("#camera-stop")
        assert page.evaluate(STATE) == "off"
        shown, name = saved(page, "#camera-webm")  # what was recorded can still be saved
        assert (shown[:4], name[-5:]) == (b"\x1a\x45\xdf\xa3", ".webm")
        assert page.evaluate("document.getElementById('camera-video').srcObject") is None
        lost = [words for words in page.complaints if "WebSocket" not in words]
        assert lost == []
    finally:
        browser.close()
        serving.kill()


def test_what_keeps_the_camera_off_is_said(window, chromium):
    """Refused by the browser, no camera, a page without TLS from elsewhere: one sentence each."""
    page = open_page(chromium, window.base)
    said = []
    for error in ("NotAllowedError", "NotFoundError", "NotReadableError", "AbortError"):
        page.evaluate(
            "(name) => { navigator.mediaDevices.getUserMedia = async () => "
            "{ throw new DOMException('why', name); }; }",
            error,
        )
        page.click("#camera-start")
        page.wait_for_selector("#camera-start:enabled")
        said.append(page.text_content("#camera-trouble"))
    expected = ("let this page", "No camera", "another program", "why")
    assert [words in one for words, one in zip(expected, said, strict=True)] == [True] * 4
    page.evaluate("Object.defineProperty(navigator, 'mediaDevices', { value: undefined })")
    page.click("#camera-start")
    until(page, "document.getElementById('camera-trouble').textContent.includes('TLS')")
    assert page.evaluate(STATE) == "off"
    assert page.complaints == []
    page.close()
