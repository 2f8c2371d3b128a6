"""The order in which a rater sees the images, and which of them a second time."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

Ordering = Literal["emotion", "mixed"]


def showing_order(
    emotions: Sequence[str],
    rng: np.random.Generator,
    ordering: Ordering = "emotion",
    repeats: float = 0.05,
) -> list[tuple[int, bool]]:
    """A rater's own permutation of the images, some of them shown again well after the first time.

    "emotion" shows one class of expressed emotion after another, as in the paper, the classes too
    in an order of the rater's own; "mixed" shows them all mixed. A repeat keeps to its class: its
    first showing is in the first third of it, its second in the last, so at least a third of the
    class lies between. A class of fewer than six images is too small for that and has none.

    `emotions` has one for each image; `repeats` is the share of images to show twice, in [0, 0.3].
    Returns (index of the image, whether it is the second time), every image once without repeats.
    """
    words = np.asarray(emotions, dtype=object)
    if ordering == "mixed":
        blocks = [rng.permutation(len(words))]
    else:
        classes = rng.permutation(sorted(set(emotions)))
        blocks = [rng.permutation(np.flatnonzero(words == name)) for name in classes]
    early = [image for block in blocks if len(block) >= 6 for image in block[: len(block) // 3]]
    count = min(round(repeats * len(words)), len(early))
    again = set(rng.choice(early, count, replace=False).tolist()) if count else set()
    return [showing for block in blocks for showing in _with_repeats(block, again, rng)]


def _with_repeats(
    block: np.ndarray, again: set[int], rng: np.random.Generator
) -> list[tuple[int, bool]]:
    order = [(int(image), False) for image in block]
    for image in (int(image) for image in block if int(image) in again):
        first = -(-2 * len(block) // 3)
        order.insert(int(rng.integers(first, len(order) + 1)), (image, True))
    return order
