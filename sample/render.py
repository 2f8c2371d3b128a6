"""Render the shipped sample: `python sample/render.py --out FOLDER`.

Writes `faces/*.jpg`, `faces.csv` and `votes.csv`. Every random number comes from `--seed`, through
one generator per person, so that the persons can be rendered in parallel.
"""

import argparse
import csv
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image

import anatomy
import camera
import expressions
import head
import shading
import votes
from persons import PERSONS, Person

SIZE = 224
QUALITY = 88
NEUTRALS = 4
FRACTIONS = (0.34, 0.56, 0.78, 1.0)  # of the sequence's own peak
COLUMNS = ("image", "person", "emotion", "sequence", "frame", "intensity")


def intensities(rng: np.random.Generator) -> list[float]:
    """Draw the intensities of one sequence: rising, the last one its peak in [0.82, 1]."""
    peak = rng.uniform(0.82, 1.0)
    steps = [f + (rng.uniform(-0.05, 0.05) if f < 1 else 0.0) for f in FRACTIONS]
    return [round(float(peak * f), 3) for f in steps]


def room(person: Person, rng: np.random.Generator) -> shading.Light:
    """Light one person's session; nothing in it depends on emotion or intensity."""
    side = rng.choice([-1.0, 1.0])
    key = np.array([side * rng.uniform(0.15, 0.75), rng.uniform(0.25, 0.6), 0.8])
    luminance = float(np.mean(np.asarray(person.skin) / 255) ** 2.2)
    return shading.Light(
        key=key / np.linalg.norm(key),
        strength=rng.uniform(0.70, 0.90),
        fill=rng.uniform(0.16, 0.34),
        ambient=rng.uniform(0.30, 0.42),
        tint=np.array([1.0, rng.uniform(0.94, 1.0), rng.uniform(0.86, 1.0)]),
        exposure=float(np.clip((0.42 / luminance) ** 0.3, 0.95, 1.5)),
    )


def jittered(light: shading.Light, rng: np.random.Generator) -> shading.Light:
    """Vary the light from image to image, as between two takes."""
    key = light.key + rng.normal(0.0, 0.08, 3)
    return shading.Light(
        key=key / np.linalg.norm(key),
        strength=light.strength * rng.uniform(0.93, 1.07),
        fill=light.fill * rng.uniform(0.85, 1.15),
        ambient=light.ambient * rng.uniform(0.93, 1.07),
        tint=light.tint,
        exposure=light.exposure * rng.uniform(0.96, 1.04),
    )


def backdrop(person: Person, rng: np.random.Generator, size: int) -> np.ndarray:
    """A plain wall with a soft gradient: uint8 (size, size, 3)."""
    x, y = np.meshgrid(np.linspace(-1, 1, size), np.linspace(-1, 1, size))
    slope = rng.normal(0.0, 0.05, 2)
    level = 1 + slope[0] * x + slope[1] * y - rng.uniform(0.02, 0.10) * (x**2 + y**2)
    wall = np.asarray(person.room) * rng.uniform(0.9, 1.03)
    return np.clip(wall * level[..., None], 0, 255).astype(np.uint8)


def view(rng: np.random.Generator) -> camera.View:
    """Draw a small pose and a small deviation from the template."""
    return camera.View(
        yaw=float(np.clip(rng.normal(0, 4.0), -9, 9)),
        pitch=float(np.clip(rng.normal(0, 2.5), -6, 6)),
        roll=float(np.clip(rng.normal(0, 1.0), -2.5, 2.5)),
        scale=float(rng.uniform(0.98, 1.02)),
        shift=(float(rng.uniform(-0.015, 0.015)), float(rng.uniform(-0.015, 0.015))),
    )


def frames(number: int, seed: int) -> list[dict[str, object]]:
    """List the images of one person: rows of the table with the expression to draw."""
    person, rng = PERSONS[number], np.random.default_rng([seed, number, 0])
    rows: list[dict[str, object]] = []
    for k, emotion in enumerate(expressions.EMOTIONS):
        expression = expressions.personal(emotion, rng, variant=number + k)
        for frame, intensity in enumerate(intensities(rng), start=1):
            rows.append(_row(person, emotion, frame, intensity) | {"draw": expression})
    return rows + [_row(person, "neutral", frame, 0.0) for frame in range(1, NEUTRALS + 1)]


def _row(person: Person, emotion: str, frame: int, intensity: float) -> dict[str, object]:
    sequence = f"{person.name}_{emotion}"
    return {
        "image": f"faces/{sequence}_{frame}.jpg", "person": person.name, "emotion": emotion,
        "sequence": sequence, "frame": frame, "intensity": intensity,
    }  # fmt: skip


def render_person(number: int, seed: int, out: Path) -> list[dict[str, object]]:
    """Draw and write the images of one person; returns their rows of the table."""
    person = PERSONS[number]
    drawn = head.Head(person, seed=1000 * seed + 50 * number)
    # Pose, light and wall have generators of their own: they know nothing of the expression.
    rng = np.random.default_rng([seed, number, 1])
    light = room(person, rng)
    rows = frames(number, seed)
    for row in rows:
        expression = row.pop("draw", None)
        actions = expression.at(row["intensity"]) if expression else {}
        wall = backdrop(person, rng, SIZE * head.OVERSAMPLING)
        image = drawn.draw(actions, view(rng), jittered(light, rng), SIZE, wall)
        grain = rng.normal(0.0, 1.6, image.shape[:2])[..., None]
        noisy = np.clip(image + grain, 0, 255).round().astype(np.uint8)
        Image.fromarray(noisy).save(out / str(row["image"]), quality=QUALITY, subsampling=0)
    print(f"{person.name}: {len(rows)} images", flush=True)
    return rows


def main() -> None:
    """Render all persons, then simulate the raters."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--seed", type=int, default=2, help="of every random number")
    parser.add_argument("--jobs", type=int, default=2, help="persons rendered at a time")
    parser.add_argument("--only", nargs="*", default=[p.name for p in PERSONS], metavar="PERSON")
    options = parser.parse_args()
    (options.out / "faces").mkdir(parents=True, exist_ok=True)
    numbers = [i for i, p in enumerate(PERSONS) if p.name in options.only]
    anatomy.model()  # built once, before the workers look for it in anny's cache
    # Spawned, because the graphics libraries do not survive a fork.
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(render_person, i, options.seed, options.out) for i in numbers]
        rows = [row for job in jobs for row in job.result()]
    write(options.out / "faces.csv", COLUMNS, sorted(rows, key=lambda row: row["image"]))
    write(options.out / "votes.csv", votes.COLUMNS, votes.simulate(rows, options.seed))


def write(file: Path, columns: tuple[str, ...], rows: list[dict[str, object]]) -> None:
    """Write rows as CSV."""
    with file.open("w", newline="", encoding="utf-8") as stream:
        table = csv.DictWriter(stream, columns, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


if __name__ == "__main__":
    main()
