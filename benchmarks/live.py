"""How many frames a second does the camera's page label, and how old is what it draws?

Chromium shows `emorank serve` a film of the sample's faces in the place of a camera (640×480, 30
frames a second, one face) and runs on the same cores as the server. Beside it stand the parts of a
frame, each alone in one thread, and `fer`'s own loop on the same frames where --peer names a Python
that has it. With --study the network of a study reads; with --gif the page is filmed.
"""

import argparse
import io
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from playwright.sync_api import Page, sync_playwright
from tests.fake_camera import FLAGS, scene, write_y4m

from benchmarks.fer_peer import read_by_fer
from benchmarks.many_faces import say
from benchmarks.timing import cores, interleaved, machine, table
from emorank import faces, images
from emorank.reading.live import Live
from emorank.study.folder import open_study
from emorank.study.readers import reader_of

SECONDS, WARM = 30.0, 6.0
SCENES = (("p02", "happy"), ("p03", "anger"), ("p05", "surprise"))
RATE, LONG = 30, 120  # frames a second of the camera, frames of a scene
WANTED = {False: (15, 5), True: (1.5, 1)}  # labels and heatmaps a second: shipped network, study's
AGE = 150  # ms, median
LISTEN = """
window.drawn = []; window.heated = [];
document.addEventListener("camera:drawn", ({ detail }) =>
  window.drawn.push([performance.now(), detail.age, detail.faces]));
document.addEventListener("camera:heatmap", () => window.heated.push(performance.now()));
"""


def main(
    seconds: float = SECONDS,
    *,
    study: Path | None = None,
    peer: str | None = None,
    gif: Path | None = None,
    parts: bool = True,
) -> str:
    """The page, the parts, the peer."""
    frames = [frame for who in SCENES for frame in scene(*who, LONG)]
    with tempfile.TemporaryDirectory(prefix="live-") as folder:
        say(f"writing a film of {len(frames)} frames")
        film = write_y4m(Path(folder) / "camera.y4m", frames, RATE)
        with _serving(study) as address, _page(address, film) as page:
            page.click("#camera-start")
            page.wait_for_function("window.heated.length > 0", timeout=120_000)
            said = _measured(page, seconds, study is not None)
            if gif is not None:
                _filmed(page, gif)
        said += f"\n\n{_parts(frames[:: RATE // 3], study)}" if parts else ""
        return f"{said}\n\n{_peer(peer, frames[::4], Path(folder))}"


@contextmanager
def _serving(study: Path | None) -> Iterator[str]:
    """`emorank serve` as anybody starts it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "emorank", "serve", "--no-browser", "--port", str(port)]
    server = subprocess.Popen(command + ([] if study is None else ["--study", str(study)]))
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{address}/healthz", timeout=5)  # noqa: S310 - loopback
                break
            except (OSError, HTTPException):
                time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait()


@contextmanager
def _page(address: str, film: Path) -> Iterator[Page]:
    """The page in Chromium, with a film for its camera."""
    flags = [*FLAGS, f"--use-file-for-fake-video-capture={film}", "--no-sandbox", "--disable-gpu"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=flags)
        # The page's policy forbids what Playwright's waiting needs; it is not what is measured.
        page = browser.new_page(viewport={"width": 1280, "height": 900}, bypass_csp=True)
        page.add_init_script(LISTEN)
        page.goto(address)
        yield page
        browser.close()


def _measured(page: Page, seconds: float, study: bool) -> str:
    page.wait_for_timeout(1000 * WARM)
    say(f"measuring for {seconds:g} seconds")
    page.evaluate("window.drawn = []; window.heated = [];")
    page.wait_for_timeout(1000 * seconds)
    drawn, heated = page.evaluate("[window.drawn, window.heated]")
    ages = np.array([age for _, age, _ in drawn])
    found = np.mean([count > 0 for _, _, count in drawn])
    labels, heatmaps = len(drawn) / seconds, len(heated) / seconds
    wanted = WANTED[study]
    median = float(np.median(ages))
    row: list[object] = [
        "a study's" if study else "shipped", f"{labels:.1f}", f"{heatmaps:.1f}",
        f"{median:.0f}", f"{np.percentile(ages, 95):.0f}", f"{100 * found:.0f} %",
    ]  # fmt: skip
    header = ["network", "labelled frames a second", "heatmaps a second",
              "ms from capture to drawing, median", "95 %", "frames with a face"]  # fmt: skip
    met = labels >= wanted[0] and heatmaps >= wanted[1] and (study or median <= AGE)
    return (
        f"{seconds:g} s on {cores()} cores, Chromium among them.\n\n{table(header, [row])}\n\n"
        f"Wanted: {wanted[0]} labels, {wanted[1]} heatmaps a second"
        f"{'' if study else f', {AGE} ms'}: {'met' if met else 'missed'}."
    )


def _parts(frames: list[np.ndarray], study: Path | None) -> str:
    """Milliseconds of each part of a frame, alone in one thread."""
    say("the parts alone")
    torch.set_num_threads(1)
    reader = reader_of(None if study is None else open_study(study))
    live = Live(reader, most=3)
    buffer = io.BytesIO()
    Image.fromarray(frames[0]).save(buffer, "JPEG", quality=80)
    (seen,) = live.see(frames[0], 0)
    (face,) = faces.find(frames[0])
    steps = {
        "decode a JPEG": lambda: images.decode(buffer.getvalue(), "frame"),
        "search for faces": lambda: faces.find(frames[0]),
        "follow a face": lambda: faces.follow(frames[0], face),
        "crop": lambda: faces.crop(frames[0], face.landmarks, reader.network.size),
        "name and rank": lambda: list(reader.rank([seen.view])),
        "heatmap": lambda: live.heatmap(seen),
    }
    took = interleaved(steps, 15)
    return table(["part", "ms"], [[name, f"{1000 * each:.1f}"] for name, each in took.items()])


def _peer(python: str | None, frames: list[np.ndarray], folder: Path) -> str:
    """`fer` on all cores, on the same frames."""
    paths = [folder / f"{number:04}.jpg" for number in range(len(frames))]
    for path, frame in zip(paths, frames, strict=True):
        Image.fromarray(frame).save(path, quality=92)
    what = (
        "`fer`'s own loop (Haar cascade and mini-Xception; no browser, no JPEG, no relevance) on "
        "the same frames, all cores"
    )
    return read_by_fer(python, paths, what, one_core=False, files=False)


def _filmed(page: Page, path: Path, seconds: float = 8.0, rate: int = 8) -> None:
    """The camera's part of the page as a GIF."""
    say(f"filming {seconds:g} seconds")
    part = page.locator("#camera-live")
    shots, times = [], []
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        times.append(time.monotonic())
        shots.append(Image.open(io.BytesIO(part.screenshot(type="png"))).convert("RGB"))
        page.wait_for_timeout(max(0, 1000 / rate - 1000 * (time.monotonic() - times[-1])))
    width = 560
    small = [
        shot.resize((width, round(shot.height * width / shot.width)), Image.Resampling.LANCZOS)
        for shot in shots
    ]
    some = small[:: max(1, len(small) // 6)]
    sheet = Image.new("RGB", (width, small[0].height * len(some)))
    for place, shot in enumerate(some):
        sheet.paste(shot, (0, place * small[0].height))
    palette = sheet.quantize(200)
    drawn = [shot.quantize(palette=palette, dither=Image.Dither.NONE) for shot in small]
    lasts = [round(1000 * each) for each in np.diff([*times, times[-1] + 1 / rate])]
    drawn[0].save(
        path, save_all=True, append_images=drawn[1:], duration=lasts, loop=0, optimize=True
    )
    say(f"{path}: {path.stat().st_size / 2**20:.2f} MiB, {len(drawn)} frames")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=SECONDS, help="to measure for")
    parser.add_argument(
        "--study", type=Path, help="whose network reads, instead of the shipped one"
    )
    parser.add_argument("--peer", metavar="PYTHON", help="a Python that has fer and tensorflow")
    parser.add_argument("--gif", type=Path, help="film the page into this file")
    parser.add_argument("--no-parts", dest="parts", action="store_false", help="the page alone")
    options = parser.parse_args()
    print(machine())
    print(main(**vars(options)))
