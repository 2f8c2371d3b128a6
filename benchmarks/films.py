"""How many frames of a film a second does `emorank.watch` read?

The film is 640×480, H.264, with a face of 240 pixels of the shipped sample, or more of them,
smaller. Every frame is read, with the network that comes with emorank; all in, from the start of
the decoding to the tables. Beside it what each part takes, alone.

    python -m benchmarks.films --frames 300 --faces 1
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import av
import numpy as np
from PIL import Image

import emorank
from benchmarks.timing import interleaved, machine, table
from emorank import faces
from emorank.datasets import sample
from emorank.film.decoder import Decoding, Frame
from emorank.film.films import Film
from emorank.film.look import Looker
from emorank.reading.identity import identity_numbers
from emorank.reading.ready import ready_network
from emorank.study.readers import reader_of

WIDTH, HEIGHT, RATE = 640, 480, 25


def main() -> str:
    """Make the film, read it; a table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--frames", type=int, default=300)
    options.add_argument("--faces", type=int, default=1)
    asked, _ = options.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        path = film(Path(folder) / "film.mp4", asked.frames, asked.faces)
        emorank.watch(path, Path(folder) / "warm", every=50)
        rows = []
        for name, more in (("every face", {}), ("--faces 1", {"faces": 1})):
            begun, spent = time.perf_counter(), time.process_time()
            emorank.watch(path, Path(folder) / name, **more)
            seconds, own = time.perf_counter() - begun, time.process_time() - spent
            rows.append([name, f"{asked.frames / seconds:.1f}", f"{1000 * own / asked.frames:.0f}"])
        threads = os.environ.get("OMP_NUM_THREADS", "all")
        said = [f"{threads} threads", table(["read", "frames a second", "ms of CPU a frame"], rows)]
        return "\n\n".join([*said, table(["part", "ms a frame, alone"], parts(path))])


def film(path: Path, count: int, people: int) -> Path:
    """A film of faces that move a little and go from neutral to happy and back."""
    data = sample.load()
    side = 240 if people == 1 else WIDTH // people
    shown = [
        [
            np.asarray(Image.open(data.root / f"faces/p{n + 1:02}_{name}.jpg").resize((side, side)))
            for name in ("neutral_1", "happy_1", "happy_2", "happy_3", "happy_4")
        ]
        for n in range(people)
    ]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "20"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(count):
            frame = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
            step = abs(number // 5 % 8 - 4)
            for place, steps in enumerate(shown):
                left = (200 if people == 1 else place * side) + number % 3
                frame[100 : 100 + side, left : left + side] = steps[step][:, : WIDTH - left]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return path


def parts(path: Path) -> list[list[object]]:
    """What each part takes of one frame, in milliseconds."""
    decoding = Decoding(Film("film", path))
    begun = time.perf_counter()
    frames = [frame for frame in decoding if frame.picture is not None]
    decoded = (time.perf_counter() - begun) / len(frames)
    network = ready_network()
    looker = Looker("film", network.size)
    rgb = frames[0].rgb()
    frame = Frame(0, 0.0, rgb)
    seen = looker.look(frame).faces
    reader = reader_of(None)
    seconds = interleaved(
        {
            "find": lambda: faces.find(rgb),
            "look": lambda: looker.look(frame),
            "rank": lambda: list(reader.rank([seen[0].view] * 16)),
            "person": lambda: identity_numbers([seen[0].person] * 16),
        },
        7,
    )
    each = len(seen) / 16
    return [
        ["decode, in the process beside", f"{1000 * decoded:.1f}"],
        ["find faces", f"{1000 * seconds['find']:.1f}"],
        ["frame them, blur", f"{1000 * (seconds['look'] - seconds['find']):.1f}"],
        ["emotion and rank", f"{1000 * seconds['rank'] * each:.1f}"],
        ["whose face it is", f"{1000 * seconds['person'] * each:.1f}"],
    ]


if __name__ == "__main__":
    print(machine())
    print(main())
