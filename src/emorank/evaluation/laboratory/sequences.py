"""Does a score rise along frames that lead from a neutral face to the peak of an expression?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from emorank.evaluation.statistics.columns import Column, Options, array, floats, missing, people
from emorank.evaluation.statistics.correlation import spearman
from emorank.evaluation.statistics.uncertainty import Estimate, with_reason

LEAST = 3
"""Frames of the shortest sequence that is used."""


@dataclass(frozen=True)
class Sequences:
    """A score along sequences.

    Attributes:
        count: sequences of at least `LEAST` frames with a score.
        constant: of these, sequences with the same score throughout; they have no rho.
        spearman: mean over the others of the rho of score and frame order.
        rising: share of steps to the next frame at which the score rises. A step without a change
            counts half, so that chance is 0.5.
        emotions: `rising` of each emotion.
    """

    count: int
    constant: int
    spearman: Estimate
    rising: Estimate
    emotions: dict[str, Estimate]


def sequences(
    score: Column,
    sequence: Column,
    frame: Column,
    emotion: Column,
    persons: Column | None = None,
    options: Options | None = None,
) -> Sequences:
    """Rank correlation with the frame order, and the share of rising steps.

    A frame's place in its sequence ascends from neutral to peak. Faces without a score, a sequence
    or a place are left out.
    """
    used = ~(missing(score) | missing(sequence) | missing(frame))
    table = pd.DataFrame(
        {
            "score": floats(score)[used],
            "sequence": array(sequence)[used],
            "frame": floats(frame)[used],
            "emotion": array(emotion)[used],
            "person": None if persons is None else array(persons)[used],
        }
    )
    each, options = _each(table), options or Options()
    who = people(each["person"], np.ones(len(each), bool))
    rho, rises, steps = (each[name].to_numpy(np.float64) for name in ("rho", "rises", "steps"))
    sloped = np.isfinite(rho)
    short = "" if len(each) else f"no sequence of {LEAST} frames or more"
    flat = short or ("" if sloped.any() else "the score is the same along every sequence")
    emotions = {
        e: (each["emotion"] == e).to_numpy(np.float64) for e in sorted(each["emotion"].unique())
    }
    return Sequences(
        count=len(each),
        constant=int((~sloped).sum()),
        spearman=with_reason(
            who.quotient(np.where(sloped, rho, 0), sloped.astype(np.float64), options), flat
        ),
        rising=with_reason(who.quotient(rises, steps, options), short),
        emotions={
            e: who.quotient(rises * inside, steps * inside, options)
            for e, inside in emotions.items()
        },
    )


def _each(table: pd.DataFrame) -> pd.DataFrame:
    """One row per sequence that is long enough: `rho`, `rises`, `steps`, `emotion`, `person`."""
    rows = []
    for _, frames in table.groupby("sequence", sort=True):
        if len(frames) < LEAST:
            continue
        frames = frames.sort_values("frame", kind="stable")
        score, order = frames["score"].to_numpy(), frames["frame"].to_numpy()
        once = np.ones((1, len(score)))
        steps = np.sign(np.diff(score))
        rows.append(
            {
                "rho": float(spearman(score, order, once)[0]),
                "rises": float(((steps + 1) / 2).sum()),
                "steps": len(steps),
                "emotion": str(frames["emotion"].iloc[0]),
                "person": frames["person"].iloc[0],
            }
        )
    return pd.DataFrame(rows, columns=["rho", "rises", "steps", "emotion", "person"])
