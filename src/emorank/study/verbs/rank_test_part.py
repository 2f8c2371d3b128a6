"""The test part of a study by one of its ranks, and how well that agrees with the raters."""

import pandas as pd

from emorank.evaluation.laboratory.validity import Correlations, correlations
from emorank.evaluation.level_agreement import LevelAgreement, level_agreement
from emorank.evaluation.statistics.columns import Options
from emorank.progress import Progress, silent
from emorank.reading.reader import in_words
from emorank.study.folder import Study
from emorank.study.framed_faces import Framed
from emorank.study.ground_truth import ground_truth
from emorank.study.learning.calibrate import fitted_on
from emorank.study.readers import check_levels, reader_of
from emorank.vocabulary import Emotion


def rank_test_part(
    study: Study, rank: str, progress: Progress = silent
) -> tuple[pd.DataFrame, Correlations, LevelAgreement]:
    """Rank the test faces, write `ranks_RANK.parquet`, and compare it with what is known.

    Returns:
        The ranks with `level` as a number, and the agreement with the known intensity (or else
        with the mean of the votes) and with the majority of the votes, where neutral faces count
        as None. What the calibrated rank was fitted on counts as not known.

    Raises:
        PlanError: there is no such rank.
        StudyError: the study is not prepared, or lacks what the rank needs.
        WeightsError: the study has no model.
    """
    check_levels((rank,))
    reader, truth = reader_of(study, (rank,)), ground_truth(study)
    truth = truth[truth["part"] == "test"].reset_index(drop=True)
    framed, parts = Framed(study, truth), []
    for start in range(0, len(truth), reader.batch):
        progress(start, len(truth), "faces")
        rows = range(start, min(start + reader.batch, len(truth)))
        parts.append(reader.levels([framed(row) for row in rows]))
    progress(len(truth), len(truth), "faces")
    table = pd.concat([truth[["image"]], pd.concat(parts, ignore_index=True)], axis=1)
    study.write_table(f"ranks_{rank}", in_words(table))
    if rank == "calibrated":
        learnt = fitted_on(study, truth)
        for column in ("intensity", "mean", "level"):
            truth[column] = truth[column].mask(learnt)
    return table, *agreement(table, truth, study.plan.validate.resamples)


def agreement(
    table: pd.DataFrame, truth: pd.DataFrame, resamples: int
) -> tuple[Correlations, LevelAgreement]:
    """Levels and scores against what is known of the same faces, in the same order."""
    options = Options(resamples=resamples)
    known = truth["intensity"] if truth["intensity"].notna().any() else truth["mean"]
    shown = truth["emotion"].where(truth["emotion"] != Emotion.NEUTRAL)
    return (
        correlations(table["score"], known, shown, truth["person"], options),
        level_agreement(table["level"], truth["level"], truth["person"], options),
    )
