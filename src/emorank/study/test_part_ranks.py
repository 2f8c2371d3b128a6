"""The test part of a study by the rank that people get, and that beside the paper's rule."""

import numpy as np
import pandas as pd

from emorank.answers.voting import majority
from emorank.errors import StudyError
from emorank.evaluation.laboratory.examination import TRUTHS
from emorank.evaluation.laboratory.one_rater import one_rater
from emorank.evaluation.laboratory.validity import correlations
from emorank.evaluation.rank_scores import RankValidation
from emorank.evaluation.rank_validation import validation
from emorank.evaluation.statistics.columns import Options
from emorank.progress import Progress, silent
from emorank.ranking.evidence import ANY
from emorank.reading.emotion_network import EmotionNetwork
from emorank.reading.measured import measured_again
from emorank.reading.ranks import RANKS
from emorank.reading.reader import Reader, in_words
from emorank.results.metrics import RanksCompared
from emorank.study.folder import Study
from emorank.study.framed_faces import Framed
from emorank.study.readers import default_rank, rank_of, reader_of
from emorank.study.trained_network import trained_network
from emorank.vocabulary import NONE, Emotion

PAPER = "paper"
DEFAULTS = ("contrast", "evidence")
"""The ranks that `default_rank` chooses from."""
_ROUNDING = 1e-3


def table_of(rank: str) -> str:
    """The table that holds what a rank says of the test part; the paper's rule has `ranks`."""
    return f"ranks_{rank}"


def rank_faces(
    study: Study, reader: Reader, faces: pd.DataFrame, progress: Progress = silent
) -> pd.DataFrame:
    """A row for each face, with `image`, as `Reader.levels` gives it of the pixels."""
    framed, parts = Framed(study, faces), []
    for start in range(0, len(faces), reader.batch):
        progress(start, len(faces), "faces")
        rows = range(start, min(start + reader.batch, len(faces)))
        parts.append(reader.levels([framed(row) for row in rows]))
    progress(len(faces), len(faces), "faces")
    return pd.concat(
        [faces[["image"]].reset_index(drop=True), pd.concat(parts, ignore_index=True)], axis=1
    )


def default_ranks(study: Study, progress: Progress = silent) -> tuple[str, pd.DataFrame]:
    """The rank that people get where they name none, and what it says of the test part.

    The contrast follows from the logits, which the study has; for the evidence the faces are read.
    Where too few faces are left to cut the evidence into levels, there are scores alone.

    Raises:
        StudyError: the emotions are not tested.
        WeightsError: the study has no model.
    """
    network, tested = trained_network(study), study.table("predictions")
    name = default_rank(network)
    if name == "contrast":
        measured = measured_again(network, tested)
        said = rank_of(study, name, network)(measured)
        table = pd.concat([tested[["image"]], measured.table, said], axis=1)
    else:
        faces = tested[["image"]].merge(study.table("faces"), on="image")
        table = rank_faces(study, _by_evidence(study, network), faces, progress)
    return name, in_words(table)


def _by_evidence(study: Study, network: EmotionNetwork) -> Reader:
    try:
        return reader_of(study, ("evidence",), network=network)
    except StudyError:
        none = {ANY: (0.0, 0.0)}
        return Reader(network, {"evidence": lambda faces: _unsure(RANKS["evidence"](faces, none))})


def _unsure(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(level=pd.array([pd.NA] * len(table), dtype="Int64"))


def stored_default(study: Study) -> tuple[str, pd.DataFrame]:
    """The same as the study has it, or made now where it is missing or of other predictions."""
    tested = study.table("predictions")
    for name in DEFAULTS:
        if study.path(f"{table_of(name)}.parquet").exists():
            table = study.table(table_of(name))
            if _same(table, tested):
                return name, table
    return default_ranks(study)


def _same(ranks: pd.DataFrame, tested: pd.DataFrame) -> bool:
    """Whether both are of the same faces and logits."""
    pair = ranks[["image", "logit"]].merge(tested[["image", "logit"]], on="image")
    if not len(pair) == len(ranks) == len(tested):
        return False
    away = (pair["logit_x"] - pair["logit_y"]).abs()
    return bool((away <= _ROUNDING * (1 + pair["logit_y"].abs())).all())


def compare_ranks(study: Study) -> RanksCompared:
    """Hold the rank that people get and the paper's rule against what is known, side by side.

    Both are judged on the faces that the paper scores: test images with an intensity whose emotion
    was recognised.

    Raises:
        StudyError: an earlier stage has not run.
        WeightsError: the rank has to be made, and the study has no model.
    """
    name, table = stored_default(study)
    votes = study.table("votes")
    voted = majority(votes, study.plan.validate.ties) if len(votes) else None
    seen, truth = _recognised(study, voted)
    options = Options(study.plan.validate.resamples, seed=study.plan.split.seed)
    score = {name: (table, "score"), PAPER: (study.table("ranks"), "zero")}
    follows = {
        rank: correlations(
            seen["image"].map(rows.set_index("image")[column]),
            seen[truth],
            seen["emotion"],
            seen["person"],
            options,
        )
        for rank, (rows, column) in score.items()
        if truth
    }
    given = table.assign(rank=table["rank"].mask(table["rank"] == NONE))
    return RanksCompared(
        default=name,
        truth=TRUTHS.get(truth, ""),
        follows=follows,
        validated=None if voted is None else validate_ranks(study, given, voted),
        rater=None if voted is None else one_rater(votes, seen, options),
    )


def _recognised(study: Study, voted: pd.DataFrame | None) -> tuple[pd.DataFrame, str]:
    """The test faces whose expression was recognised, and the column that says how strong it is.

    It is `intensity`, or `mean` of the votes, or empty where nothing is known.
    """
    about = study.table("faces")[["image", "person", "intensity"]]
    seen = study.table("predictions").merge(about, on="image")
    seen = seen[(seen["emotion"] == seen["predicted"]) & (seen["emotion"] != Emotion.NEUTRAL)]
    if voted is not None:
        seen = seen.merge(voted[["image", "mean"]], on="image", how="left")
    known = [name for name in ("intensity", "mean") if name in seen and seen[name].notna().any()]
    return seen.reset_index(drop=True), known[0] if known else ""


def known_strength(study: Study) -> dict[str, float]:
    """How strong the recognised expressions of the test part are, by image, as far as is known."""
    votes = study.table("votes")
    seen, truth = _recognised(
        study, majority(votes, study.plan.validate.ties) if len(votes) else None
    )
    return dict(zip(seen["image"], seen[truth], strict=True)) if truth else {}


def validate_ranks(study: Study, ranks: pd.DataFrame, voted: pd.DataFrame) -> RankValidation:
    """Ranks (`image`, `rank`) of the test part against the majority of the raters."""
    faces, split = study.table("faces"), study.table("split")
    training = voted[voted["image"].isin(split.loc[split["part"] != "test", "image"])]
    modes = training["rank"].dropna().mode()
    return validation(
        ranks,
        voted,
        study.table("predictions"),
        rng=np.random.default_rng(study.plan.split.seed),
        persons=dict(faces.loc[faces["person"].notna(), ["image", "person"]].to_numpy()),
        trained_majority=str(modes.iloc[0]) if len(modes) else None,
        resamples=study.plan.validate.resamples,
    )
