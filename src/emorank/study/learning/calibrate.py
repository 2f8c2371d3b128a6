"""The calibrated rank of a study: an ordinal model fitted on faces that people have rated.

The network's scores of persons that it was trained on are inflated, so a model fitted on them
expects too much evidence of everybody else; and nobody of the test part may be fitted on. So it is
fitted on the *validation* persons, or, by cross-fitting, on the training persons too, whose
evidence is found by classifiers that have not learnt from them. docs/ranking.md has what was
measured of both.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from emorank.errors import StudyError
from emorank.evaluation.laboratory.learning import Rated, coefficient_intervals, learning_curve
from emorank.progress import Progress, silent
from emorank.ranking.calibrated import SURE, LevelModel, ProportionalOdds, from_values, to_values
from emorank.results.calibration import CalibratedRank, Coefficient, RatedFaces
from emorank.study.folder import Study, alone, require_own_network
from emorank.study.ground_truth import ground_truth
from emorank.study.learning.crossfit import crossfitted
from emorank.study.learning.measured_faces import EVIDENCE, cuts_of, evidence_of_faces
from emorank.study.trained_network import trained_network
from emorank.vocabulary import LEVELS

RESULT = CalibratedRank.NAME
# The shares of the regions, and which emotion is expressed, were tried too: fitted on two persons
# they cost 0.06 and 0.03 of quadratic kappa, on twelve they gained nothing (docs/ranking.md).
INPUTS = ("net", "mass", "balance")
LEAST = 12  # rated faces: three for each of the four levels


def calibration(study: Study) -> LevelModel:
    """The rank that `calibrate` fitted.

    Raises:
        StudyError: the study was not calibrated, or its network is another since.
    """
    fitted = study.read(CalibratedRank)
    if fitted is None:
        raise StudyError(
            f"{study.folder}: no calibration for this network; rated images make one: "
            f"emorank calibrate --study {study.folder} --votes FILE"
        )
    return LevelModel(from_values(fitted.model), fitted.inputs)


def calibrate(
    study: Study,
    votes: Path | None = None,
    *,
    penalty: float = 1.0,
    crossfit: int = 0,
    progress: Progress = silent,
) -> CalibratedRank:
    """Fit the calibrated rank and the cuts of the evidence, and write both into the study.

    `votes` is a votes file or rating project, None for the votes that the plan names. `crossfit` is
    the number of folds of the training and validation persons, with a classifier trained for each;
    0 fits on the validation persons alone, which needs no training. `penalty` is that of the
    coefficients.

    Raises:
        PlanError: a number of folds that is not possible.
        StudyError: no votes, too few rated faces, or another process at work on the study.
    """
    require_own_network(study)
    with alone(study):
        truth = ground_truth(study, votes)
        seed, network = study.plan.split.seed, trained_network(study)
        if crossfit:
            known = truth[truth["part"] != "test"]
            evidence = crossfitted(study, known, crossfit, seed, progress)
        else:
            known = truth[truth["part"] == "validation"]
            evidence = evidence_of_faces(study, network, known, progress)
        rated = _rated(evidence, known)
        _check(study, rated.level)
        held_out = truth[(truth["part"] == "test") & truth["level"].notna()]
        tested = None
        if len(held_out):
            tested = _rated(evidence_of_faces(study, network, held_out), held_out)
        values = _fit(rated, tested, penalty, seed, crossfit)
        study.write_result(EVIDENCE, cuts_of(evidence), after="train")
        study.write(values)
        return values


def _fit(
    rated: Rated, test: Rated | None, penalty: float, seed: int, crossfit: int
) -> CalibratedRank:
    rng = np.random.default_rng(seed)
    model = ProportionalOdds(penalty).fit(rated.features, rated.level)
    intervals, unit = coefficient_intervals(model, rated, rng)
    curve = learning_curve(model, rated, test, rng) if test else ()
    return CalibratedRank(
        crossfit=crossfit,
        inputs=INPUTS,
        model=to_values(model),
        sure=SURE,
        rated=_counted(rated),
        coefficients=tuple(
            Coefficient(word, float(value), float(low), float(high))
            for word, value, (low, high) in zip(INPUTS, model.coef_, intervals, strict=True)
        ),
        intervals_over=unit,
        curve=tuple(curve),
        tested=_counted(test) if test else RatedFaces(0, 0),
    )


def _counted(faces: Rated) -> RatedFaces:
    return RatedFaces(
        images=len(faces.level),
        persons=len(np.unique(faces.person)),
        levels={LEVELS[k]: int((faces.level == k).sum()) for k in range(len(LEVELS))},
    )


def _rated(evidence: pd.DataFrame, truth: pd.DataFrame) -> Rated:
    """Those faces, of the same in the same order, whose level is known."""
    known = truth["level"].notna().to_numpy()
    person = truth["person"].astype("object").where(truth["person"].notna(), truth["image"])[known]
    return Rated(
        evidence.loc[known, list(INPUTS)].to_numpy(),
        truth["level"][known].to_numpy(np.int64),
        pd.factorize(person)[0].astype(np.int64),
    )


def _check(study: Study, level: np.ndarray) -> None:
    expressed = level[level > 0]
    if len(expressed) < LEAST or len(np.unique(level)) < 2:
        raise StudyError(
            f"{study.folder}: expected votes on at least {LEAST} faces to fit on, came "
            f"{len(expressed)} of {len(np.unique(expressed))} levels; have more faces of the "
            "validation part rated (emorank rate new), or take those of the training part too "
            "(--crossfit 5)"
        )
