"""Which pairs of faces are compared: each face in enough pairs, and all faces of an emotion linked.

The faces of an emotion are put on a circle in random order. A step is a number of places: all
pairs that are a step apart are shown. The first step is 1, so that the pairs link every face with
every other and a Bradley-Terry score exists on one scale; the further steps are drawn at random. A
step gives each face two pairs, one to each side; the step of half a circle gives it one. Circulant
designs of this kind are the usual incomplete paired comparisons: David 1988, The Method of Paired
Comparisons, 2nd edition, chapter 5.
"""

from collections.abc import Sequence

import numpy as np

from emorank.errors import RatingError

PAIRS_PER_FACE = 6


def choose_pairs(
    emotions: Sequence[str], per_face: int | None, rng: np.random.Generator
) -> list[tuple[int, int]]:
    """The pairs to show, each as two numbers of faces; never faces of different emotions.

    Each face is in `per_face` pairs or one more. Without a demand it is `PAIRS_PER_FACE`, or all
    pairs that an emotion has, if these are fewer.

    Raises:
        RatingError: an emotion has one face only, or too few for the demand.
    """
    faces: dict[str, list[int]] = {word: [] for word in sorted(set(emotions))}
    for face, word in enumerate(emotions):
        faces[word].append(face)
    pairs: list[tuple[int, int]] = []
    for word, mine in faces.items():
        most = len(mine) - 1
        if not most:
            raise RatingError(
                f"there is one face of {word}, and a pair needs two; leave it out (--emotions), or "
                "add faces"
            )
        if per_face is not None and not 1 <= per_face <= most:
            raise RatingError(
                f"{per_face} pairs for each face, but {word} has {len(mine)} faces, so each can be "
                f"in 1 to {most}"
            )
        circle = rng.permutation(mine)
        for first, second in _around(len(mine), min(per_face or PAIRS_PER_FACE, most), rng):
            one, two = int(circle[first]), int(circle[second])
            pairs.append((one, two) if rng.random() < 0.5 else (two, one))
    return pairs


def _around(size: int, per_face: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Pairs of places on a circle, each place in `per_face` of them or one more."""
    if size == 2:
        return [(0, 1)]
    whole = list(range(2, (size + 1) // 2))  # each gives a place two pairs
    steps = [1, *(int(step) for step in rng.permutation(whole))]
    chosen, rest = steps[: per_face // 2], steps[per_face // 2 :]
    if per_face == 1:
        chosen, rest = [1], rest[1:]  # half of the circle would link faces by two only
    elif per_face % 2 and size % 2 == 0:
        chosen.append(size // 2)
    elif per_face % 2:
        chosen.append(rest[0])
    pairs = {
        tuple(sorted((place, (place + step) % size))) for step in chosen for place in range(size)
    }
    return [(int(first), int(second)) for first, second in sorted(pairs)]
