"""What `emorank rate summary --scores` prints: a method's scores against the raters'."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from emorank.evaluation.raters.against_scores import Against


def compared(
    file: Path, scores: Path, raters: "pd.DataFrame", pairs: bool, resamples: int, seed: int
) -> "tuple[Against, ...]":
    """The comparison of `raters` (from `face_scores`) with the scores in a file."""
    import numpy as np

    from emorank.answers.scores import read_scores
    from emorank.evaluation.raters.against_scores import against_scores
    from emorank.room.settings import is_project

    persons: dict[str, str] = {}
    if is_project(file):
        from emorank.room.facts import persons as persons_of
        from emorank.room.project import open_project

        persons = persons_of(open_project(file))
    return against_scores(
        raters, read_scores(scores, set(raters["image"])), np.random.default_rng(seed),
        persons=persons, together=not pairs, resamples=resamples,
    )  # fmt: skip


def print_compared(found: "tuple[Against, ...]", scores: Path) -> None:
    """Print Spearman's rho of each emotion."""
    from emorank.cli.terminal import print_table
    from emorank.report.words import estimate

    rows: list[tuple[Any, ...]] = [
        (one.emotion, one.faces, estimate(one.spearman), one.spearman.method) for one in found
    ]
    columns = ("emotion", "faces", "Spearman’s rho and 95 % interval", "how")
    print_table(columns, rows, title=f"Scores in {scores.name} against the raters")
