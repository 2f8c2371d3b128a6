"""The ranks of a study beside the intensity estimators of Table 10, on the same faces."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from emorank.answers.votes import votes_of
from emorank.baselines import ESTIMATORS
from emorank.baselines.references import random_rater
from emorank.errors import EmorankError, PlanError, StudyError
from emorank.evaluation.comparison import COLUMNS, comparison
from emorank.reading.ranks import RANKS
from emorank.results.comparison import Circumstances, Comparison, Times
from emorank.study.answer_store import RankStates
from emorank.study.comparing.asking import (
    FoldNetwork,
    answers,
    estimate,
    estimator_state,
    rank_state,
)
from emorank.study.comparing.described_faces import describe, described_ms, times
from emorank.study.comparing.shipped import (
    NETWORKS,
    ask_network,
    network_state,
    networks_beside,
)
from emorank.study.comparing.task import LABELS, Task, compare_task
from emorank.study.folder import Study
from emorank.study.ground_truth import answers_of
from emorank.study.run import Quiet, Watch
from emorank.vocabulary import LEVELS, Emotion, Rank

RATER = "rater"
# The rank that people get who name none, then those that a study may have in its place.
PREFERRED = ("contrast", "evidence", "calibrated", "ordinal", "paper")


def compare(
    study: Study,
    votes: Path | str | None = None,
    *,
    folds: int = 0,
    against: str | None = None,
    watch: Watch | None = None,
) -> Comparison:
    """Run every estimator, keep what each said, and write `comparison.json` and `.parquet`.

    `votes` is a votes file or rating project, "labels" for neutral against any expression, None for
    the votes of the plan. In so many `folds` of persons everything is trained and tested anew; 0
    keeps the study's own split. `against` is the rank that the others are tested against; if
    None, the rank that people get: the contrast, or the evidence without neutral.

    Raises:
        StudyError: the study is not trained, or nobody voted.
        PlanError: there is no rank `against`.
        VotesError: the votes cannot be read.
    """
    watch, against = watch or Quiet(), against or ""
    _check_name(against, {*ESTIMATORS, *RANKS, *NETWORKS, RATER})
    task = compare_task(study, votes, folds)
    said, timing, left_out = _predictions(task, watch)
    if not task.labels:
        said = pd.concat([said, _rater(task)], ignore_index=True)
    reference = _reference(task, said, against, left_out)
    tested = said.dropna(subset="level")
    # Nobody rated neutral faces; their place on the raters' scale is that of None.
    tested = tested.assign(mean=tested["mean"].mask(tested["level"] == 0, 0.0))
    express = tested[tested["emotion"] != Emotion.NEUTRAL]
    scored = partial(comparison, reference=reference, seed=study.plan.split.seed)
    scored = partial(scored, resamples=study.plan.validate.resamples)
    # The raters were not shown neutral faces, so that they have no level among all faces.
    everybody = tested[tested["estimator"] != RATER]
    with_neutral = task.labels or (tested["emotion"] == Emotion.NEUTRAL).any()
    result = Comparison(
        expressive=None if task.labels else scored(express[list(COLUMNS)]),
        all=scored(everybody[list(COLUMNS)]) if with_neutral else None,
        timing=timing,
        left_out=left_out,
        about=_about(task, tested),
    )
    study.write_table(Comparison.NAME, tested)
    study.write(result)
    return result


def _predictions(task: Task, watch: Watch) -> tuple[pd.DataFrame, dict[str, Times], dict[str, str]]:
    """What every estimator says of every tested face; times; and who could not be asked."""
    tables: dict[str, list[pd.DataFrame]] = {}
    left_out: dict[str, str] = {}
    study, states = task.study, RankStates(task.study)
    for fold, table in task.splits():
        describe(task, table, watch)
        for name in ESTIMATORS:
            title, state = f"{name} {fold}".strip(), estimator_state(name, table)
            ask = partial(estimate, study, name, table)
            answer = answers(study, title, state, table, watch, ask)
            tables.setdefault(name, []).append(answer.assign(estimator=name))
        network = FoldNetwork(task, fold, table, watch)
        asked = {
            name: (rank_state(states, name, fold, table), partial(network.answer, name))
            for name in RANKS
        }
        for name in networks_beside(study, table):
            ask = partial(ask_network, study, name, table)
            asked[name] = (network_state(study, name, table), ask)
        for name, (state, ask) in asked.items():
            if name in left_out:
                continue
            title = f"{name} {fold}".strip()
            try:
                answer = answers(study, title, state, table, watch, ask)
                tables.setdefault(name, []).append(answer.assign(estimator=name))
            except EmorankError as error:
                left_out[name] = str(error)
                tables.pop(name, None)
                watch.end(name, f"left out: {error}", True)
        network.remove()
    described = described_ms(task)
    timing = {name: times(pd.concat(parts), name, described) for name, parts in tables.items()}
    said = pd.concat([part for parts in tables.values() for part in parts], ignore_index=True)
    truth = task.truth[["image", "person", "emotion", "level", "mean"]]
    merged = said.merge(truth, on="image", validate="many_to_one")
    if task.labels:
        merged["predicted"] = merged["predicted"].mask(merged["predicted"] > 0, int(Rank.STRONG))
    return merged, timing, left_out


def _rater(task: Task) -> pd.DataFrame:
    """A rater drawn at random for each tested face, against the majority of the others."""
    plan = task.study.plan.validate
    votes = votes_of(answers_of(task.study))
    tested = task.truth if task.folds else task.truth[task.truth["part"] == "test"]
    votes = votes[votes["image"].isin(tested["image"])].reset_index(drop=True)
    rng = np.random.default_rng(task.study.plan.split.seed)
    drawn = random_rater(votes, rng, plan.ties).assign(estimator=RATER)
    return drawn.merge(tested[["image", "person", "emotion"]], on="image")


def _reference(task: Task, said: pd.DataFrame, against: str, left_out: dict[str, str]) -> str:
    there = set(said["estimator"])
    if against in left_out:
        raise StudyError(f"--against {against}: {left_out[against]}")
    _check_name(against, there)
    # Without neutral the contrast is a logit, which has no levels.
    knows_neutral = (task.study.table("faces")["emotion"] == Emotion.NEUTRAL).any()
    preferred = [name for name in PREFERRED if name in there]
    if not (against or preferred):
        reasons = "; ".join(f"{name}: {why}" for name, why in left_out.items())
        raise StudyError(f"no rank of this study can be compared; {reasons}")
    return against or next(
        (name for name in preferred if knows_neutral or name != "contrast"), preferred[0]
    )


def _check_name(against: str, known: set[str]) -> None:
    if against and against not in known:
        raise PlanError(f"--against {against}: expected one of {', '.join(sorted(known))}")


def _about(task: Task, tested: pd.DataFrame) -> Circumstances:
    one = tested.drop_duplicates("image")
    neutral = int((one["emotion"] == Emotion.NEUTRAL).sum())
    return Circumstances(
        labels=task.labels,
        folds=task.folds,
        votes=LABELS if task.labels else Path(task.study.plan.validate.votes).name,
        faces=len(one),
        neutral=neutral,
        levels={word: int((one["level"] == k).sum()) for k, word in enumerate(LEVELS)},
        seed=task.study.plan.split.seed,
    )
