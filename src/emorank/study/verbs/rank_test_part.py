"""The test part of a study by one of its ranks, and how well that agrees with the raters."""

import pandas as pd

from emorank.errors import PlanError, StudyError
from emorank.evaluation.laboratory.validity import Correlations, correlations
from emorank.evaluation.level_agreement import LevelAgreement, level_agreement
from emorank.evaluation.statistics.columns import Options
from emorank.progress import Progress, silent
from emorank.reading.along_sequences import smooth_ranks
from emorank.reading.reader import in_words
from emorank.study.folder import Study
from emorank.study.ground_truth import ground_truth
from emorank.study.learning.calibrate import fitted_on
from emorank.study.readers import check_levels, reader_of
from emorank.study.test_part_ranks import rank_faces, table_of
from emorank.vocabulary import LEVELS, Emotion


def rank_test_part(
    study: Study, rank: str, progress: Progress = silent, *, smooth: bool = False
) -> tuple[pd.DataFrame, Correlations, LevelAgreement]:
    """Rank the test faces, write `ranks_RANK.parquet`, and compare it with what is known.

    With `smooth` the frames of each sequence are ranked by what all of them and the other faces of
    the person show (`reading.along_sequences`), in `ranks_RANK_smooth.parquet`.

    Returns:
        The ranks with `level` as a number, and the agreement with the known intensity (or else
        with the mean of the votes) and with the majority of the votes, where neutral faces count
        as None. What the calibrated rank was fitted on counts as not known.

    Raises:
        PlanError: there is no such rank, or `smooth` with another one than the contrast.
        StudyError: the study is not prepared, lacks what the rank needs, or has no sequences.
        WeightsError: the study has no model.
    """
    check_levels((rank,))
    if smooth and rank != "contrast":
        raise PlanError(
            f"'{rank}' cannot be smoothed along sequences; expected the rank 'contrast'"
        )
    reader, truth = reader_of(study, (rank,)), ground_truth(study)
    truth = truth[truth["part"] == "test"].reset_index(drop=True)
    if smooth and not (reader.network.knows_neutral and truth["sequence"].notna().any()):
        raise StudyError(
            f"{study.folder}: smoothing needs sequences of frames in the data set, and a network "
            "that knows neutral"
        )
    table = rank_faces(study, reader, truth, progress)
    if smooth:
        about = truth[["sequence", "frame", "person"]]
        words = smooth_ranks(pd.concat([in_words(table), about], axis=1))
        study.write_table(f"ranks_{rank}_smooth", words)
        level = words["rank"].map(LEVELS.index, na_action="ignore").astype("Int64")
        return words.assign(level=level), *agreement(
            words.assign(level=level), truth, study.plan.validate.resamples
        )
    study.write_table(table_of(rank), in_words(table))
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
