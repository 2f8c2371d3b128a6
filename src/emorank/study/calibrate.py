"""The calibrated rank of a study: an ordinal model fitted on faces that people have rated.

It is fitted on the *validation* persons. The network's scores of persons that it was trained on are
inflated, so a model fitted on them expects too much evidence of everybody else; and nobody of the
test part may be fitted on (docs/ranking.md has what was measured of the ways out).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from emorank.errors import StudyError
from emorank.evaluation.learning import Rated, coefficient_intervals, learning_curve
from emorank.progress import Progress, silent
from emorank.ranking.calibrated import SURE, ProportionalOdds, dumped, loaded, sure
from emorank.study.evidence import write_evidence
from emorank.study.folder import Study
from emorank.study.gauge import gauge, gauged
from emorank.study.ground_truth import ground_truth
from emorank.vocabulary import LEVELS

RESULT = "calibration"
PROBABILITIES = tuple(f"p_{level.lower()}" for level in LEVELS)
# The shares of the regions, and which emotion is expressed, were tried too: fitted on two persons
# they cost 0.06 and 0.03 of quadratic kappa, on twelve they gained nothing (docs/ranking.md).
INPUTS = ("net", "mass", "balance")
LEAST = 12  # rated faces: three for each of the four levels


@dataclass(frozen=True)
class Calibration:
    """A fitted model with the inputs that it takes.

    Attributes:
        model: on the columns `inputs`.
        inputs: features of the relevance.
    """

    model: ProportionalOdds
    inputs: tuple[str, ...]

    def probabilities(self, measured: pd.DataFrame) -> pd.DataFrame:
        """`p_none` … `p_strong` of faces that were gauged; 0 for a level that nobody had given."""
        found = np.zeros((len(measured), len(LEVELS)))
        found[:, self.model.classes_] = self.model.predict_proba(
            measured[list(self.inputs)].to_numpy()
        )
        return pd.DataFrame(found, columns=list(PROBABILITIES))

    def ranks(self, measured: pd.DataFrame) -> pd.DataFrame:
        """`level`, <NA> where no level has a probability of a half; `score`, the expected level."""
        table = self.probabilities(measured)
        level = pd.Series(sure(table.to_numpy()), dtype="Int64")
        score = table.to_numpy() @ np.arange(len(LEVELS))
        return table.assign(level=level.mask(level < 0).array, score=score)


def calibration(study: Study) -> Calibration:
    """What `calibrate` found.

    Raises:
        StudyError: the study was not calibrated, or its network is another since.
    """
    found = study.result(RESULT)
    if found is None:
        raise StudyError(
            f"{study.folder}: no calibration for this network; rated images make one: "
            f"emorank calibrate --study {study.folder} --votes FILE"
        )
    return Calibration(loaded(found["model"]), tuple(found["inputs"]))


def calibrate(
    study: Study, votes: Path | None = None, *, penalty: float = 1.0, progress: Progress = silent
) -> dict[str, Any]:
    """Fit the calibrated rank and the cuts of the evidence, and write both into the study.

    Args:
        study: trained.
        votes: a votes file or rating project; None for the votes that the plan names.
        penalty: of the coefficients.
        progress: told of faces measured.

    Returns:
        What `calibration.json` holds.

    Raises:
        StudyError: no votes, or too few of the validation persons' faces are rated.
    """
    truth = ground_truth(study, votes)
    rated = truth[truth["level"].notna() & (truth["part"] != "train")]
    by = gauge(study)
    measured = gauged(study, by, rated, progress)
    faces = _rated(measured, rated)
    fitted_on = np.flatnonzero((rated["part"] == "validation").to_numpy())
    _check(study, faces.level[fitted_on])
    held_out = np.flatnonzero((rated["part"] == "test").to_numpy())
    values = _fit(faces[fitted_on], faces[held_out], penalty, study.plan.split.seed)
    write_evidence(study)
    study.write_result(RESULT, values, after="train")
    return values


def _fit(rated: Rated, test: Rated, penalty: float, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    model = ProportionalOdds(penalty).fit(rated.features, rated.level)
    intervals, unit = coefficient_intervals(model, rated, rng)
    curve = learning_curve(model, rated, test, rng) if len(test.level) else ()
    return {
        "inputs": list(INPUTS),
        "model": dumped(model),
        "sure": SURE,
        "rated": {
            "images": len(rated.level),
            "persons": len(np.unique(rated.person)),
            "levels": {LEVELS[k]: int((rated.level == k).sum()) for k in range(len(LEVELS))},
        },
        "coefficients": [
            {"input": word, "value": float(value), "low": float(low), "high": float(high)}
            for word, value, (low, high) in zip(INPUTS, model.coef_, intervals, strict=True)
        ],
        "intervals_over": unit,
        "curve": [vars(point) for point in curve],
        "tested": {"images": len(test.level), "persons": len(np.unique(test.person))},
    }


def _rated(measured: pd.DataFrame, truth: pd.DataFrame) -> Rated:
    person = truth["person"].astype("object").where(truth["person"].notna(), truth["image"])
    return Rated(
        measured[list(INPUTS)].to_numpy(),
        truth["level"].to_numpy(np.int64),
        pd.factorize(person)[0].astype(np.int64),
    )


def _check(study: Study, level: np.ndarray) -> None:
    expressed = level[level > 0]
    if len(expressed) < LEAST or len(np.unique(level)) < 2:
        raise StudyError(
            f"{study.folder}: expected votes on at least {LEAST} faces of the validation part, of "
            f"two levels or more, came {len(expressed)} of {len(np.unique(expressed))}; have more "
            "of these faces rated (emorank rate new), or choose a larger split.validation"
        )
