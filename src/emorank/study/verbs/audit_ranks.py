"""How far the ranks of a study can be believed: every one of them through the laboratory."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from emorank.answers.scores import read_scores
from emorank.answers.votes import votes_of
from emorank.errors import PlanError, StudyError, VotesError
from emorank.evaluation.laboratory.examination import examine, human_ceiling, unmeasured
from emorank.evaluation.laboratory.perturbation import brightness
from emorank.evaluation.laboratory.pictures import examine_pictures, pictures
from emorank.evaluation.statistics.columns import Options
from emorank.evaluation.statistics.uncertainty import Estimate
from emorank.progress import Progress, silent
from emorank.reading.ranks import RANKS
from emorank.report.sections.audit_words import headline
from emorank.results.audit import Audit
from emorank.study.auditing.rank_answers import COLUMNS, answer_stores, rank_answers, ranks_to_audit
from emorank.study.folder import Study
from emorank.study.framed_faces import Framed
from emorank.study.ground_truth import answers_of, ground_truth
from emorank.study.readers import check_ranks

FACES = 24
FILE = "scores"
"""What the scores of a file are called among the ranks."""

_TABLE = ["image", "person", "emotion", "sequence", "frame", "intensity", "mean", "majority"]
_KINDS = ("rank", "file", "control")


def audit(
    study: Study,
    *,
    votes: Path | str | None = None,
    ranks: Sequence[str] = (),
    scores: Path | str | None = None,
    faces: int = FACES,
    progress: Progress = silent,
) -> Audit:
    """Audit the ranks of a study on the persons of its test part; writes `audit.json` too.

    What the ranks say of each picture is kept under `audit/` as it comes, and what they say of the
    faces as they are is written to `audit.parquet`.

    `votes` is a votes file or rating project, None for the votes that the plan names, if any.
    `ranks` are names in `reading.ranks.RANKS`, empty for all that the study can give. `scores` is a
    file of somebody else's scores (`answers.scores`), audited beside them. Changes that should not
    matter are tried on so many `faces`.

    Raises:
        PlanError: there is no such rank, or `faces` is negative.
        StudyError: not one rank can be given, or there are no test faces.
        VotesError: votes or scores cannot be read.
    """
    check_ranks(ranks or [*RANKS], RANKS)
    if faces < 0:
        raise PlanError(f"changes are tried on {faces} faces; expected 0 or more")
    table = _faces(study, votes)
    options = Options(study.plan.validate.resamples, seed=study.plan.split.seed)
    ceiling = _ceiling(study, votes, table, options)
    given = None if scores is None else _of_file(scores, study, table)
    framed = Framed(study, table)
    table["brightness"] = [brightness(framed(row)) for row in range(len(table))]
    tried = min(faces, len(table))
    shown = pictures(table, tried, study.plan.split.seed)
    reader, unavailable = ranks_to_audit(study, ranks or [*RANKS])
    stores = answer_stores(study, [*reader.ranks] if reader else [])
    draws = [partial(picture.draw, framed) for picture in shown]
    answers = rank_answers(reader, stores, draws, progress)
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
        headline(results, ceiling),
        len(table),
        persons,
        tried,
        ceiling,
        tuple(sorted(results, key=lambda one: _KINDS.index(one.kind))),
        unavailable,
        tuple(unmeasured(table)),
    )
    _write(study, result, table, answers)
    return result


def _faces(study: Study, votes: Path | str | None) -> pd.DataFrame:
    table = ground_truth(study, votes).rename(columns={"level": "majority"})
    table = table[table["part"] == "test"].reset_index(drop=True)
    if table.empty:
        raise StudyError(f"{study.folder}: no face in the test part, so no rank can be audited")
    return table


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
    faces = table[[*_TABLE, "brightness"]]
    parts = [faces.assign(rank=name, **said.iloc[: len(faces)]) for name, said in answers.items()]
    study.write_table(Audit.NAME, pd.concat(parts, ignore_index=True))
    study.write(result)
