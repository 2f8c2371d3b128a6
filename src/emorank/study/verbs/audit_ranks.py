"""How far the ranks of a study can be believed: every one of them through the laboratory."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from emorank.answers.scores import read_scores
from emorank.answers.votes import votes_of
from emorank.errors import PlanError, StudyError, VotesError
from emorank.evaluation.laboratory.controls import CONTROLS
from emorank.evaluation.laboratory.examination import examine, human_ceiling, neutral_of
from emorank.evaluation.laboratory.perturbation import brightness
from emorank.evaluation.laboratory.pictures import Picture, pictures
from emorank.evaluation.laboratory.verdict import Examination
from emorank.evaluation.statistics.columns import Options
from emorank.evaluation.statistics.uncertainty import Estimate
from emorank.progress import Progress, silent
from emorank.reading.ranks import RANKS
from emorank.report.sections.audit_words import headline
from emorank.results.audit import Audit
from emorank.study.auditing.rank_answers import COLUMNS, answer_stores, rank_answers, ranks_to_audit
from emorank.study.folder import Study
from emorank.study.framing import Framed
from emorank.study.ground_truth import answers_of, ground_truth

FACES = 24
FILE = "scores"
"""What the scores of a file are called among the ranks."""

FEW_PERSONS = 10
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

    Args:
        study: trained.
        votes: a votes file or rating project; None for the votes that the plan names, if any.
        ranks: names in `reading.ranks.RANKS`; empty for all that the study can give.
        scores: a file of somebody else's scores (`annotations.scores`), audited beside them.
        faces: on how many faces changes that should not matter are tried.
        progress: told of pictures, rank by rank.

    Raises:
        PlanError: there is no such rank, or `faces` is negative.
        StudyError: not one rank can be given, or there are no test faces.
        VotesError: votes or scores cannot be read.
    """
    _check(ranks, faces)
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
    found = [
        _examined(name, table, shown, said, ceiling, options) for name, said in answers.items()
    ]
    if given is not None:
        answers[FILE] = given.reindex(columns=[*COLUMNS])
        found.append(examine(FILE, "file", table, given, ceiling=ceiling, options=options))
    elif all(one.kind == "control" for one in found):
        raise StudyError(f"{study.folder}: no rank to audit: {'; '.join(unavailable.values())}")
    persons = int(table["person"].nunique()) or None
    result = Audit(
        headline(found, ceiling),
        len(table),
        persons,
        tried,
        ceiling,
        tuple(sorted(found, key=lambda one: _KINDS.index(one.kind))),
        unavailable,
        tuple(_unmeasured(table)),
    )
    _write(study, result, table, answers)
    return result


def _check(ranks: Sequence[str], faces: int) -> None:
    for name in ranks:
        if name not in RANKS:
            raise PlanError(f"'{name}' is no rank; expected one of {', '.join(RANKS)}")
    if faces < 0:
        raise PlanError(f"changes are tried on {faces} faces; expected 0 or more")


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


def _examined(
    name: str,
    table: pd.DataFrame,
    shown: list[Picture],
    said: pd.DataFrame,
    ceiling: Estimate | None,
    options: Options,
) -> Examination:
    about = said.assign(
        face=[picture.face for picture in shown],
        change=[picture.change for picture in shown],
        morph=pd.Series([p.face if p.neutral >= 0 else None for p in shown], dtype="Int64"),
        step=[picture.share for picture in shown],
    )
    for column in ("emotion", "person"):
        about[column] = table[column].iloc[about["face"]].to_numpy()
    changed = dict(list(about[about["change"] != ""].groupby("change", sort=False)))
    morphs = about[about["morph"].notna()]
    return examine(
        name,
        "control" if name in CONTROLS else "rank",
        table,
        said.iloc[: len(table)],
        changed={str(change): rows for change, rows in changed.items()},
        morphs=morphs if len(morphs) else None,
        ceiling=ceiling,
        options=options,
    )


def _unmeasured(table: pd.DataFrame) -> Iterator[str]:
    """What these faces do not allow to ask, and why."""
    calm = neutral_of(table)
    if table["intensity"][~calm].isna().all():
        yield "The data set records no intensity of expressions."
    if not (table["voters"] > 0).any():
        yield "No votes on the test faces, so ranks are not compared with raters (--votes FILE)."
    if not calm.any():
        yield "No neutral face, so nothing is told from neutral faces."
    if table["sequence"].isna().all():
        yield "No sequences, so no order of frames to follow."
    persons = table["person"].nunique()
    if not persons:
        yield "The persons are not known: intervals take the images for independent."
    elif persons < FEW_PERSONS:
        yield f"Intervals over {persons} persons are rough: often too narrow, or too high."


def _write(
    study: Study, result: Audit, table: pd.DataFrame, answers: dict[str, pd.DataFrame]
) -> None:
    faces = table[[*_TABLE, "brightness"]]
    parts = [faces.assign(rank=name, **said.iloc[: len(faces)]) for name, said in answers.items()]
    study.write_table(Audit.NAME, pd.concat(parts, ignore_index=True))
    study.write(result)
