"""A small study, simulated, for figures and page."""

import numpy as np
import pandas as pd
import pytest

from emorank.answers.voting import majority, sheet
from emorank.evaluation import classification, validation
from emorank.report import figures, heatmaps, style
from emorank.report.headline import headline
from emorank.report.page import Contents, Data, Example, Split, Votes, render

EMOTIONS = ("anger", "happy", "neutral")
RANKS = ("Minimal", "Average", "Strong")


@pytest.fixture(scope="session")
def face():
    """An image, a relevance map and its ranks row."""
    rng = np.random.default_rng(4)
    image = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    relevance = (rng.standard_normal((3, 32, 32)) ** 3).astype(np.float32)
    low, high = relevance.min(), relevance.max()
    counts = np.histogram((relevance - low) / (high - low), 10, (0, 1))[0]
    about = {
        "emotion": "Happy",
        "probability": 0.9,
        "rank": "Average",
        "counts": counts,
        "zero": float(-low / (high - low)),
    }
    return image, relevance, about


@pytest.fixture(scope="session")
def contents(face):
    """Everything on the page, from simulated answers of twelve images."""
    rng = np.random.default_rng(8)
    images = [f"p{i % 4}/{i}.png" for i in range(12)]
    true = np.array(EMOTIONS)[np.arange(12) % 3]
    ranks = np.array(RANKS)[rng.integers(0, 3, 12)]
    votes = pd.DataFrame(
        [(i, f"r{j}", RANKS[rng.integers(0, 3)]) for i in images for j in range(3)],
        columns=["image", "rater", "rank"],
    )
    predictions = pd.DataFrame(
        {"image": images, "emotion": true, "predicted": true, "part": "test"}
    )
    persons = {image: image[:2] for image in images}
    emotions = classification(
        true, true, EMOTIONS, rng=rng, persons=list(persons.values()), resamples=50
    )
    validated = validation(
        pd.DataFrame({"image": images, "rank": ranks}),
        majority(votes),
        predictions,
        rng=rng,
        persons=persons,
        resamples=50,
    )
    image, relevance, about = face
    strip = heatmaps.strip(image, relevance)
    figure = style.jpeg(figures.explanation(image, relevance, **about))
    epochs = np.arange(1, 5)
    return Contents(
        title="A small study",
        created="1 January 2026",
        headline=headline(emotions, validated, unseen_persons=True),
        data=Data(
            "toy", "A toy", "CC0", "Nobody 2026", "https://example.org/toy", 12, 4,
            pd.DataFrame({"train": [5, 6], "test": [4, 8]}, index=["Anger", "Happy"]),
        ),
        split=Split("by person", 1, True, pd.DataFrame({"Shared": ["person"], "Test images": [0]})),
        plan={"model": {"network": "VGG-16", "rates": [0.1, 0.25]}, "seed": 3},
        emotions=emotions,
        training=pd.DataFrame(
            {
                "epoch": epochs,
                "train_loss": [2.0, 1.0, 0.5, 0.2],
                "train_accuracy": [0.2, 0.5, 0.7, 0.9],
                "validation_loss": [2.0, 1.2, 1.1, 1.3],
                "validation_accuracy": [0.2, 0.4, 0.6, 0.6],
            }
        ),
        examples=tuple(Example(f"{r}.png", "Happy", r, 0.9, strip, figure) for r in RANKS),
        rank_counts=pd.DataFrame({"Minimal": [1], "Average": [2], "Strong": [3]}, index=["Happy"]),
        ranks=validated,
        votes=Votes(3, len(votes), "ordinal median", 2, sheet(votes)),
        known_intensity=pd.DataFrame({"intensity": rng.random(12), "rank": ranks}),
        exclusions=pd.DataFrame({"file": ["broken.png"], "reason": ["truncated"]}),
        versions={"emorank": "0.1"},
        hashes={"split.parquet": "ab" * 32},
        cite=("Punuri et al.",),
    )  # fmt: skip


@pytest.fixture(scope="session")
def rendered(contents):
    """The page of the small study."""
    return render(contents)
