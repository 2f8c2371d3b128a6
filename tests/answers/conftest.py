"""Tables of answers to send through files, and the shared data."""

from pathlib import Path

import pytest

from emorank.answers.answers_table import answers_table

SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture
def shared():
    """The folder of real votes; skips, saying why, where it is absent."""
    if not (SHARED / "mdns_votes").is_dir():
        pytest.skip(f"no real votes here: {SHARED} is absent")
    return SHARED


@pytest.fixture
def answers():
    """Everything an answer can be: unknown emotion, skip, None, repeat, times, odd names."""
    return answers_table(
        [
            {
                "image": "faces/ü 1.png", "emotion": "happy", "rater": "ann", "answer": "Strong",
                "reaction_ms": 1234, "hidden_ms": 0, "shortest_ms": 250,
                "exposure_ms": 200, "shown_ms": 201, "times_shown": 2,
                "at": "2026-03-01T10:00:00.123456789Z",
            },
            {"image": "faces/ü 1.png", "emotion": "happy", "rater": "ben", "answer": "None"},
            {
                "image": "faces/ü 1.png", "emotion": "happy", "rater": "ann", "answer": "Average",
                "repeat": True, "reaction_ms": 800,
            },
            {
                "image": "faces/ü 1.png", "emotion": "fear", "rater": "ann", "answer": "Skip",
                "reaction_ms": 99, "at": "2026-03-01T11:00:00Z",
            },
            {"image": "=HYPERLINK(\"x\")", "rater": "@ann", "answer": "Minimal"},
            {"image": " b,c;\"d\" ", "emotion": "'-2+3", "rater": "x\ny", "answer": "Strong"},
        ]
    )  # fmt: skip
