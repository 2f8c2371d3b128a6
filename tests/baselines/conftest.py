"""Drawn faces whose mouth opens with the level, of persons that differ in all else."""

import hashlib

import numpy as np
import pytest
from PIL import Image, ImageDraw

from emorank.baselines import Faces

PERSONS, SIDE = 12, 96
LEARNT = 8  # of the persons; the others are strangers


def drawn(person: int, level: int) -> np.ndarray:
    random = np.random.default_rng([person, level])
    own = np.random.default_rng(person)
    skin, dx, dy = int(own.integers(150, 220)), *map(int, own.integers(-2, 3, 2))
    image = Image.new("RGB", (SIDE, SIDE), (int(own.integers(40, 110)),) * 3)
    pen = ImageDraw.Draw(image)
    pen.ellipse((10 + dx, 4 + dy, 86 + dx, 92 + dy), (skin,) * 3)
    for x in (32, 60):
        lift = 3 * level
        pen.ellipse((x + dx, 34 + dy, x + 8 + dx, 42 + dy), (30,) * 3)
        pen.line((x - 4 + dx, 28 - lift + dy, x + 12 + dx, 28 - lift + dy), (50,) * 3, 3)
    half = 2 + 5 * level
    pen.ellipse((30 + dx, 68 - half + dy, 66 + dx, 68 + half + dy), (40,) * 3)
    noise = random.normal(0, 3, (SIDE, SIDE, 1))
    return np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def table():
    """All faces and their levels: a neutral face and a sequence of three for each person."""
    pictures = [drawn(person, level) for person in range(PERSONS) for level in range(4)]
    level = np.tile(np.arange(4), PERSONS)
    person = np.repeat([f"p{n}" for n in range(PERSONS)], 4).astype(object)
    emotion = np.where(level == 0, "neutral", "happy").astype(object)
    faces = Faces(
        digest=np.array([hashlib.sha256(p.tobytes()).hexdigest() for p in pictures], object),
        pixels=pictures.__getitem__,
        rows=np.arange(len(pictures)),
        person=person,
        emotion=emotion,
        sequence=person + "_" + emotion,
        frame=level.copy(),
    )
    return faces, level


@pytest.fixture(scope="session")
def parted(table):
    """Faces and levels to learn from, then those of strangers."""
    faces, level = table
    known = np.repeat(np.arange(PERSONS) < LEARNT, 4)
    learn, test = np.flatnonzero(known), np.flatnonzero(~known)
    return faces.take(learn), level[learn], faces.take(test).blind(), level[test]
