"""How far the ranks of a study can be believed: every one of them through the laboratory."""

from collections.abc import Sequence
from functools import partial
from itertools import cycle
from pathlib import Path

import pandas as pd

from emorank.answers.scores import read_scores
from emorank.answers.votes import votes_of
from emorank.errors import PlanError, StudyError, VotesError
from emorank.evaluation.laboratory.examination import examine, neutral_of, unmeasured
from emorank.evaluation.laboratory.one_rater import human_ceiling
from emorank.evaluation.laboratory.perturbation import brightness
from emorank.evaluation.laboratory.pictures import Picture, examine_pictures, pictures
from emorank.evaluation.statistics.columns import Options
from emorank.evaluation.statistics.uncertainty import Estimate
from emorank.progress import Progress, silent
from emorank.reading.ranks import RANKS
from emorank.report.sections.audit_words import headline
from emorank.results.audit import Audit
from emorank.study.auditing.rank_answers import COLUMNS, answer_stores, rank_answers, ranks_to_audit
from emorank.study.folder import Study, alone, together
from emorank.study.framed_faces import Framed
from emorank.study.ground_truth import answers_of, ground_truth
from emorank.study.readers import check_ranks
from emorank.vocabulary import Emotion

FACES = 24
FILE = "scores"
"""What the scores of a file are called among the ranks."""

_TABLE = ["image", "person", "emotion", "sequence", "frame", "intensity", "mean", "majority"]
_KINDS = ("rank", "file", "control")


def audit(
    study: Study,
    *,
    votes: Path | str | None = None,
    rank: str | Sequence[str] = (),
    scores: Path | str | None = None,
    faces: int = FACES,
    asked: bool = False,
    progress: Progress = silent,
) -> Audit:
    """Audit the ranks of a study on the persons of its test part; writes `audit.json` too.

    What the ranks say of each picture is kept under `audit/` as it comes, and what they say of the
    faces as they are is written to `audit.parquet`.

    `votes` is a votes file or rating project, None for the votes that the plan names, if any.
    `rank` is a name in `reading.ranks.RANKS` or several, empty for all that the study can give.
    `scores` is a file of somebody else's scores (`answers.scores`), audited beside them. Changes
    that should not matter are tried on so many `faces`. With `asked` the ranks say how strongly
    each face expresses the emotion that it is labelled with, which is the one that raters are asked
    about; without it, the one that the network names.

    Raises:
        PlanError: there is no such rank, or `faces` is negative.
        StudyError: not one rank can be given, there are no test faces, or another process works on
            the study.
        VotesError: votes or scores cannot be read.
    """
    ranks = [rank] if isinstance(rank, str) else list(rank) or [*RANKS]
    check_ranks(ranks, RANKS)
    if faces < 0:
        raise PlanError(f"changes are tried on {faces} faces; expected 0 or more")
    table = _faces(study, votes)
    reader, unavailable = ranks_to_audit(study, ranks, table)
    notes: tuple[str, ...] = ()
    if asked:
        table, notes = with_asked(table, reader.network.classes if reader else tuple(Emotion))
    options = Options(study.plan.validate.resamples, seed=study.plan.split.seed)
    ceiling = _ceiling(study, votes, table, options)
    given = None if scores is None else _of_file(scores, study, table)
    framed = Framed(study, table)
    table["brightness"] = [brightness(framed(row)) for row in range(len(table))]
    tried = min(faces, len(table))
    shown = pictures(table, tried, study.plan.split.seed)
    stores = answer_stores(study, [*reader.ranks] if reader else [])
    draws = [partial(picture.draw, framed) for picture in shown]
    answers = rank_answers(reader, stores, draws, _emotions(table, shown), progress)
    results = [
        examine_pictures(name, table, shown, rows, ceiling, options)
        for name, rows in answers.items()
    ]
    if given is not None:
        answers[FILE] = given.reindex(columns=[*COLUMNS])
        results.append(examine(FILE, "file", table, given, ceiling=ceiling, options=options))
    elif all(one.kind == "control" for one in results):
        raise StudyError(f"{study.folder}: no rank to audit: {'; '.join(unavailable.values())}")
    persons = int(table["person"].nunique()) or None
    result = Audit(
        headline(results, ceiling, asked=asked),
        len(table),
        persons,
        tried,
        ceiling,
        tuple(sorted(results, key=lambda one: _KINDS.index(one.kind))),
        unavailable,
        (*notes, *unmeasured(table)),
        asked,
    )
    _write(study, result, table, answers)
    return result


def _faces(study: Study, votes: Path | str | None) -> pd.DataFrame:
    table = ground_truth(study, votes).rename(columns={"level": "majority"})
    table = table[table["part"] == "test"].reset_index(drop=True)
    if table.empty:
        raise StudyError(f"{study.folder}: no face in the test part, so no rank can be audited")
    return table


def with_asked(
    table: pd.DataFrame, classes: Sequence[Emotion]
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The faces with `asked`, the emotion to ask about in each; and what is left out, in sentences.

    It is the label. In a neutral face it is one of the emotions asked about in the others, these in
    turn: the answer is known, None, whichever is asked about. A face with a label that is not among
    `classes`, those of the network, is left out.

    Raises:
        StudyError: no face is left.
    """
    unknown = ~neutral_of(table) & ~table["emotion"].isin(list(classes))
    table = table[~unknown].reset_index(drop=True)
    neutral = neutral_of(table)
    emotions = [one for one in Emotion if one in set(table.loc[~neutral, "emotion"])]
    if not emotions:
        raise StudyError("no face of the test part expresses an emotion that the network knows")
    turn = cycle(emotions)
    asked = pd.Series(
        [
            str(next(turn) if calm else word)
            for word, calm in zip(table["emotion"], neutral, strict=True)
        ],
        dtype="string",
    )
    left = int(unknown.sum())
    words = "face is left out: the network does not know its emotion."
    if left > 1:
        words = "faces are left out: the network does not know their emotions."
    return table.assign(asked=asked), (f"{left:,} {words}",) if left else ()


def _emotions(table: pd.DataFrame, shown: Sequence[Picture]) -> list[Emotion | None]:
    """What is asked about in each picture; None for what the network names."""
    if "asked" not in table:
        return [None] * len(shown)
    return [Emotion(table["asked"].iloc[picture.face]) for picture in shown]


def _ceiling(
    study: Study, votes: Path | str | None, table: pd.DataFrame, options: Options
) -> Estimate | None:
    answers = answers_of(study, votes)
    said = votes_of(answers[answers["image"].isin(table["image"])])
    known = table[table["person"].notna()]
    whose = dict(zip(known["image"], known["person"], strict=True))
    return human_ceiling(said, whose, options) if len(said) else None


def _of_file(path: Path | str, study: Study, table: pd.DataFrame) -> pd.DataFrame:
    """Somebody's scores of the test faces, in their order."""
    scores = read_scores(path, set(study.table("faces")["image"]))
    rows = scores.set_index("image").reindex(table["image"]).reset_index(drop=True)
    if rows["score"].isna().all():
        raise VotesError(f"{path}: scores no face of the test part, which is what is audited")
    return rows


def _write(
    study: Study, result: Audit, table: pd.DataFrame, answers: dict[str, pd.DataFrame]
) -> None:
    faces = table.reindex(columns=[*_TABLE, "brightness", "asked"]).astype({"asked": "string"})
    parts = [faces.assign(rank=name, **said.iloc[: len(faces)]) for name, said in answers.items()]
    files = (f"{Audit.NAME}.json", f"{Audit.NAME}.parquet")
    with alone(study), together(study, Audit.NAME, *files) as making:
        making.write_table(Audit.NAME, pd.concat(parts, ignore_index=True))
        making.write(result)
