"""Ten *simulated* raters who rank the known intensity of the rendered faces.

No person has looked at the images. Each simulated rater r has two thresholds, a bias and a noise:

    seen = intensity + bias_r + noise,      noise ~ Normal(0, sd_r)
    rank = Minimal if seen < low_r, Strong if seen >= high_r, else Average

with low_r ~ Normal(0.45, 0.04), high_r ~ Normal(0.75, 0.04), bias_r ~ Normal(0, 0.04) and
sd_r ~ Uniform(0.05, 0.10). In two votes of a hundred the rater lapses and gives any of the three
ranks with equal probability.
"""

from collections.abc import Iterable, Mapping

import numpy as np

RATERS = 10
LAPSE = 0.02
RANKS = ("Minimal", "Average", "Strong")
COLUMNS = ("image", "rater", "rank")


def simulate(rows: Iterable[Mapping[str, object]], seed: int) -> list[dict[str, object]]:
    """Simulate ten votes for every image that is not neutral, sorted by image and rater."""
    faces = sorted((r for r in rows if r["emotion"] != "neutral"), key=lambda r: str(r["image"]))
    intensity = np.array([float(str(row["intensity"])) for row in faces])
    votes: list[dict[str, object]] = []
    for number in range(1, RATERS + 1):
        rng = np.random.default_rng([seed, 7, number])
        low, high = rng.normal(0.45, 0.04), rng.normal(0.75, 0.04)
        bias, spread = rng.normal(0.0, 0.04), rng.uniform(0.05, 0.10)
        seen = intensity + bias + rng.normal(0.0, spread, len(faces))
        rank = (seen >= low).astype(int) + (seen >= high)
        lapse = rng.random(len(faces)) < LAPSE
        rank = np.where(lapse, rng.integers(0, 3, len(faces)), rank)
        votes += [
            {"image": row["image"], "rater": f"simulated_{number:02d}", "rank": RANKS[r]}
            for row, r in zip(faces, rank, strict=True)
        ]
    return sorted(votes, key=lambda vote: (str(vote["image"]), str(vote["rater"])))
