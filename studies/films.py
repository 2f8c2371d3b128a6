"""Do smooth curves follow the intensity better, and do events find onset, apex and offset?

    python studies/films.py --out studies/films.csv

Each expressive sequence of the shipped sample becomes a film: the neutral face, the four frames of
rising intensity, and back, by dissolves of six frames each at 25 frames a second, between half a
second of neutral; the face of 140 pixels moves by up to a pixel from frame to frame, the light
flickers and the film is compressed (H.264). The known intensity of a frame is what its dissolve
mixes. `emorank.watch` reads the films with the network that comes with emorank.

A row for each emotion, and "all": `spearman` of the contrast of this emotion with the known
intensity within each film, mean over films, as measured and smoothed, with the difference
(intervals, 95 %, by 1,000 draws of persons); `events`, films in which an event of this emotion is
found; of those `ordered`: onset before apex before offset, on the rise, at the peak (within 0.2 s)
and on the fall as they are known; and by how many seconds its apex is off in the median.
"""

import argparse
import tempfile
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pandas as pd
from PIL import Image
from scipy.stats import spearmanr

import emorank
from emorank.datasets import sample
from emorank.film.curves import SMOOTH, with_curves
from emorank.film.watch import WatchedFilm

RATE, STEP, REST, SIDE, SIZE = 25, 6, 12, 140, (320, 240)
RISE = (0, 1, 2, 3, 4, 4, 3, 2, 1, 0)
NEAR = 0.2
DRAWS = 1000


def main() -> None:
    """Make films, read them, measure, write."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--persons", type=int, default=14)
    asked = options.parse_args()
    measured = films(asked.persons)
    tables = [summary(part, str(emotion)) for emotion, part in measured.groupby("emotion")]
    table = pd.concat([*tables, summary(measured, "all")])
    table.to_csv(asked.out, index=False, float_format="%.3f")
    print(table.to_string(index=False))


def films(persons: int) -> pd.DataFrame:
    """A row for each film: how well its curves and its event are."""
    data = sample.load()
    table = data.table[data.table["emotion"] != "neutral"]
    people = sorted(table["person"].unique())[:persons]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, frames) in enumerate(table.groupby("sequence")):
            person = str(frames["person"].iloc[0])
            if person not in people:
                continue
            ordered = frames.sort_values("frame")
            neutral = data.root / f"faces/{person}_neutral_1.jpg"
            paths = [neutral, *(data.root / image for image in ordered["image"])]
            intensity = [0.0, *ordered["intensity"]]
            path = Path(folder) / f"{name}.mp4"
            known = write_film(path, paths, intensity, np.random.default_rng(number))
            (watched,) = emorank.watch(path, Path(folder) / "out", draw=False)
            emotion = str(ordered["emotion"].iloc[0])
            rows.append({"person": person, "emotion": emotion} | measure(watched, emotion, known))
    return pd.DataFrame(rows)


def write_film(
    path: Path, paths: list[Path], intensity: list[float], random: np.random.Generator
) -> np.ndarray:
    """Write the film of a sequence; the known intensity of each frame."""
    pictures = [np.asarray(Image.open(one).resize((SIDE, SIDE)), float) for one in paths]
    shares = [(0, 0, 0.0)] * REST
    for one, other in pairwise(RISE):
        shares += [(one, other, k / STEP) for k in range(STEP)]
    shares += [(0, 0, 0.0)] * REST
    known = [(1 - share) * intensity[a] + share * intensity[b] for a, b, share in shares]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "23"})
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        for one, other, share in shares:
            face = (1 - share) * pictures[one] + share * pictures[other]
            left, top = np.array([90, 50]) + random.integers(-1, 2, 2)
            frame = np.full((SIZE[1], SIZE[0], 3), 120.0)
            frame[top : top + SIDE, left : left + SIDE] = face
            frame = frame * random.normal(1, 0.02) + random.normal(0, 3, frame.shape)
            pixels = np.clip(frame, 0, 255).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return np.array(known)


def measure(watched: WatchedFilm, emotion: str, known: np.ndarray) -> dict:
    """What is said of a film beside what is known."""
    frames = watched.frames()
    frames = frames[frames["face"] == 1]
    raw, _ = with_curves(frames, 1.0, smoothed=False)
    truth = known[frames["frame"].to_numpy()]
    rho = [spearmanr(table[f"{SMOOTH}_{emotion}"], truth).statistic for table in (raw, frames)]
    events = watched.events()
    events = events[events["emotion"] == emotion]
    said = {"raw": rho[0], "smooth": rho[1], "found": not events.empty}
    if events.empty:
        return said | {"ordered": np.nan, "off": np.nan}
    event = events.loc[events["score"].idxmax()]
    peak = np.flatnonzero(known == known.max()) / RATE
    off = max(peak[0] - event["apex"], event["apex"] - peak[-1], 0.0)
    rising = REST / RATE <= event["onset"] < peak[0]
    falling = peak[-1] < event["offset"] <= (len(known) - REST) / RATE
    return said | {"ordered": bool(rising and falling and off <= NEAR), "off": off}


def summary(films: pd.DataFrame, emotion: str) -> pd.DataFrame:
    """One row."""
    gain = films["smooth"] - films["raw"]
    people = films["person"].unique()
    random = np.random.default_rng(0)
    by_person = {one: gain[films["person"] == one].to_numpy() for one in people}
    drawn = [
        np.concatenate([by_person[one] for one in random.choice(people, len(people))]).mean()
        for _ in range(DRAWS)
    ]
    low, high = np.quantile(drawn, [0.025, 0.975])
    row = {
        "emotion": emotion,
        "films": len(films),
        "spearman": films["raw"].mean(),
        "spearman smooth": films["smooth"].mean(),
        "gain": gain.mean(),
        "gain low": low,
        "gain high": high,
        "events": int(films["found"].sum()),
        "ordered": int(films["ordered"].sum()),
        "apex off": films["off"].median(),
    }
    return pd.DataFrame([row])


if __name__ == "__main__":
    main()
