"""The calibrated rank of a study: an ordinal model fitted on faces that people have rated.

The network's scores of persons that it was trained on are inflated, so a model fitted on them
expects too much evidence of everybody else; and nobody of the test part may be fitted on. So it is
fitted on the *validation* persons, or, by cross-fitting, on the training persons too, whose
evidence is found by classifiers that have not learnt from them. docs/ranking.md has what was
measured of both. In a study that tests the network of another one, nobody was trained on: there it
is fitted on all rated persons, and tested on each of them by a model fitted on others.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Int

from emorank.datasets.splits import person_folds
from emorank.errors import PlanError, StudyError
from emorank.evaluation.laboratory.learning import (
    Rated,
    coefficient_intervals,
    learning_curve,
    levels_of_strangers,
)
from emorank.evaluation.level_agreement import LevelAgreement, level_agreement
from emorank.evaluation.statistics.columns import Options
from emorank.progress import Progress, silent
from emorank.ranking.calibrated import SURE, LevelModel
from emorank.ranking.contrast import levels as contrast_levels
from emorank.reading.emotion_network import EmotionNetwork
from emorank.results.calibration import CalibratedRank, Coefficient, RatedFaces
from emorank.study.folder import Study, alone
from emorank.study.ground_truth import ground_truth
from emorank.study.learning.crossfit import crossfitted
from emorank.study.learning.measured_faces import (
    EVIDENCE,
    cuts_of,
    evidence_of_faces,
    temperature_of,
)
from emorank.study.other_network import known_faces
from emorank.study.trained_network import MODEL, trained_network
from emorank.vocabulary import LEVELS

RESULT = CalibratedRank.NAME
# The shares of the regions, and which emotion is expressed, were tried too: fitted on two persons
# they cost 0.06 and 0.03 of quadratic kappa, on twelve they gained nothing (docs/ranking.md).
INPUTS = ("contrast", "mass", "balance")
LEAST = 12  # rated faces: three for each of the four levels
FOLDS = 5
"""Of the persons of a study without a training part, each tested by a model without them."""


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
    from emorank.ranking.proportional_odds import from_values  # loaded late: a second

    return LevelModel(from_values(fitted.model), fitted.inputs)


def fitted_on(study: Study, faces: pd.DataFrame) -> pd.Series:
    """Whether the calibrated rank of a study was fitted on each of some faces with a `digest`."""
    fitted = study.read(CalibratedRank)
    return faces["digest"].isin(fitted.pictures if fitted else ())


def calibrate(
    study: Study,
    votes: Path | None = None,
    *,
    source: Study | None = None,
    penalty: float = 1.0,
    crossfit: int = 0,
    progress: Progress = silent,
) -> CalibratedRank:
    """Fit the calibrated rank and write it into the study.

    In a study with a network of its own it is fitted on the validation persons, and the cuts of the
    evidence are written too. `crossfit` is the number of folds of the training and validation
    persons, with a classifier trained for each; 0 needs no training. With a `source`, a study that
    tests this network on other faces, it is fitted on the rated faces there. In a study that tests
    the network of another one it is fitted on all rated faces.

    Faces that share a person, a sequence or a near-identical picture with what the network learnt
    from are left out; with a `source`, with any face of the study. `votes` is a votes file or
    rating project on the faces that are fitted on, None for the votes that their plan names.
    `penalty` is that of the coefficients.

    Raises:
        PlanError: a number of folds that is not possible, or that goes with no faces here.
        StudyError: no votes, too few rated faces, a `source` with another network, or another
            process at work on the study.
    """
    _check_request(study, source, crossfit)
    with alone(study):
        network, seed = trained_network(study), study.plan.split.seed
        elsewhere = source or (study if study.plan.network else None)
        left_out = 0
        if elsewhere:
            truth = ground_truth(elsewhere, votes)
            known, left_out = _strangers(elsewhere, truth, study if source else None)
            evidence = evidence_of_faces(elsewhere, network, known, progress)
        else:
            truth = ground_truth(study, votes)
            part = truth["part"]
            known = truth[part != "test"] if crossfit else truth[part == "validation"]
            if crossfit:
                evidence = crossfitted(study, known, crossfit, seed, progress)
            else:
                evidence = evidence_of_faces(study, network, known, progress)
        fitting = _faces(evidence, known)
        _check(study, fitting.rated.level, left_out, elsewhere=elsewhere is not None)
        testing = None
        if not study.plan.network:
            truth = ground_truth(study) if source else truth
            testing = _test_faces(study, network, truth, voted=source is not None)
        fit = _Fit(study, network, fitting, testing, source=source.plan.title if source else "")
        values = fit.record(penalty, crossfit, left_out)
        if not elsewhere:
            study.write_result(EVIDENCE, cuts_of(evidence), after="train")
        study.write(values)
        return values


@dataclass(frozen=True)
class _Faces:
    """Rated faces: what is fitted on, the SHA-256 of each picture, its evidence."""

    rated: Rated
    pictures: tuple[str, ...]
    evidence: pd.DataFrame


@dataclass(frozen=True)
class _Fit:
    """What a model is fitted and tested on; without faces to test on, on those fitted on."""

    study: Study
    network: EmotionNetwork
    fitting: _Faces
    testing: _Faces | None
    source: str

    def record(self, penalty: float, crossfit: int, left_out: int) -> CalibratedRank:
        from emorank.ranking.proportional_odds import ProportionalOdds, to_values

        rated, seed = self.fitting.rated, self.study.plan.split.seed
        rng = np.random.default_rng(seed)
        model = ProportionalOdds(penalty).fit(rated.features, rated.level)
        intervals, unit = coefficient_intervals(model, rated, rng)
        tested, folds = self.testing, 0
        if tested:
            level = model.predict(tested.rated.features)
        elif crossfit or not (self.source or self.study.plan.network):
            level = None  # its own faces, of which those of the test part have no votes
        else:
            folds = min(FOLDS, len(np.unique(rated.person)))
            tested = self.fitting if folds > 1 else None
            level = None if folds < 2 else levels_of_strangers(model, rated, _folds(rated, folds))
        others = None if folds or tested is None else tested.rated
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
            curve=learning_curve(model, rated, others, rng) if tested else (),
            tested=_counted(tested.rated) if tested else RatedFaces(0, 0),
            agreement=self._agreement(tested, level),
            uncalibrated=self._agreement(tested, self._contrast(tested)),
            folds=folds if tested else 0,
            source=self.source,
            left_out=left_out,
            pictures=self.fitting.pictures,
        )

    def _contrast(self, tested: _Faces | None) -> Int[np.ndarray, " face"] | None:
        """The levels of the contrast to neutral, without votes."""
        if tested is None or not self.network.knows_neutral:
            return None
        scale = temperature_of(self.study, self.network)
        return contrast_levels(tested.evidence["contrast"].to_numpy(np.float64) / scale)

    def _agreement(
        self, tested: _Faces | None, level: Int[np.ndarray, " face"] | None
    ) -> LevelAgreement | None:
        if tested is None or level is None:
            return None
        options = Options(self.study.plan.validate.resamples, seed=self.study.plan.split.seed)
        given = pd.Series(level, dtype="Int64").mask(level < 0)
        return level_agreement(given, tested.rated.level, tested.rated.person, options)


def _check_request(study: Study, source: Study | None, crossfit: int) -> None:
    if crossfit and (source or study.plan.network):
        raise PlanError(
            "crossfit: goes with the training part of a study; the network has not learnt from "
            "these faces, so leave it out"
        )
    if source is None:
        return
    if study.plan.network:
        raise StudyError(
            f"{study.folder}: its network is that of {study.plan.network}; fit the calibrated rank "
            f"of that study on {source.folder}, or this one on its own faces"
        )
    other = source.path(MODEL)
    if not (source.plan.network and other.is_file()) or source.digest(MODEL) != study.digest(MODEL):
        raise StudyError(
            f"{source.folder}: expected a study that tests the network of {study.folder} on other "
            f"faces; make one: emorank run --network {study.folder} --data FACES --votes FILE "
            "--out DIR"
        )


def _strangers(study: Study, truth: pd.DataFrame, source: Study | None) -> tuple[pd.DataFrame, int]:
    """The rated faces that the network has not learnt from, and how many it knows.

    With the source of the network, those that share nothing with any of its faces.
    """
    rated = truth[truth["level"].notna()]
    faces = study.table("faces")
    faces = faces[faces["image"].isin(rated["image"])]
    if faces.empty:
        return rated, 0
    known = rated["image"].isin(known_faces(study, faces, source))
    return rated[~known], int(known.sum())


def _test_faces(
    study: Study, network: EmotionNetwork, truth: pd.DataFrame, *, voted: bool
) -> _Faces | None:
    """Rated faces of the test part; None if there are none, or if they must be `voted` on."""
    held_out = truth[(truth["part"] == "test") & truth["level"].notna()]
    if held_out.empty or (voted and not (held_out["voters"] > 0).any()):
        return None
    return _faces(evidence_of_faces(study, network, held_out), held_out)


def _folds(rated: Rated, count: int) -> Int[np.ndarray, " face"]:
    person = pd.Series(rated.person)
    return person_folds(person, person, count)


def _counted(faces: Rated) -> RatedFaces:
    return RatedFaces(
        images=len(faces.level),
        persons=len(np.unique(faces.person)),
        levels={LEVELS[k]: int((faces.level == k).sum()) for k in range(len(LEVELS))},
    )


def _faces(evidence: pd.DataFrame, truth: pd.DataFrame) -> _Faces:
    """Those faces, of the same in the same order, whose level is known."""
    known = truth["level"].notna().to_numpy()
    person = truth["person"].astype("object").where(truth["person"].notna(), truth["image"])[known]
    evidence = evidence[known]
    rated = Rated(
        evidence[list(INPUTS)].to_numpy(),
        truth["level"][known].to_numpy(np.int64),
        pd.factorize(person)[0].astype(np.int64),
    )
    return _Faces(rated, tuple(truth["digest"][known]), evidence)


def _check(study: Study, level: np.ndarray, left_out: int, *, elsewhere: bool) -> None:
    expressed = level[level > 0]
    if len(expressed) >= LEAST and len(np.unique(level)) > 1:
        return
    more = (
        "have more faces of the validation part rated (emorank rate new), or take those of the "
        "training part too (--crossfit 5)"
    )
    if elsewhere:
        more = "have more faces rated (emorank rate new)"
    if left_out:
        more += (
            f"; {left_out} rated faces are of persons, or near-identical to pictures, known here"
        )
    raise StudyError(
        f"{study.folder}: expected votes on at least {LEAST} faces to fit on, came "
        f"{len(expressed)} of {len(np.unique(expressed))} levels; {more}"
    )
