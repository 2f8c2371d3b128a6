"""The figure of a film: who expressed what, when and how strongly."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.offsetbox import AnnotationBbox, OffsetImage, TextArea, VPacker
from matplotlib.ticker import FuncFormatter, MaxNLocator
from scipy.optimize import isotonic_regression

from emorank.heatmaps import Pixels
from emorank.ranking.contrast import THRESHOLDS
from emorank.report.film_curves import LEAST, Person, top
from emorank.report.style import (
    COLOURS_OF_EMOTIONS,
    COLOURS_OF_LEVELS,
    INK,
    blank,
    short,
    styled,
)
from emorank.vocabulary import LEVELS, Emotion

POINTS = 1500
"""Of each curve, about as many as the figure has pixels."""
PERSONS = 8
"""Drawn at most: those with the most events, then those seen longest."""
FACES = 9
"""Above the curves of each person at most."""
SIDE = 56
"""Of the faces, in pixels that are a 110th of an inch wide."""
_WIDTH, _STRIP, _PANEL = 11.0, 1.06, 1.75  # inches
_LEFT, _RIGHT = 0.75, 0.75
_MARKED = 40  # events of a person; with more, onset and offset are not marked one by one


@styled
def timeline(
    title: str,
    seconds: float,
    persons: Sequence[Person],
    events: pd.DataFrame,
    faces: Mapping[int, Pixels],
    *,
    odds: bool = True,
    note: str = "",
) -> Figure:
    """The curves of the persons of a film, one above another, with the strongest faces.

    Args:
        title: the film's name.
        seconds: how long it is.
        persons: as `persons_of` gives them, thinned to `POINTS`, and without a least value.
        events: as `emorank watch` writes them.
        faces: pictures of apexes by the event's number; those that are drawn, see `drawn`.
        odds: whether the curves are log-odds, which have levels, or else probabilities.
        note: one more line at the foot.
    """
    chosen = _chosen(persons, events)
    strips = [_STRIP if len(_faces(events, one, faces)) else 0.12 for one in chosen] or [0.12]
    head, foot = 0.88, 0.62 + 0.17 * bool(note)
    height = head + foot + sum(strips) + _PANEL * max(1, len(chosen)) + 0.2 * len(chosen[1:])
    figure = blank(_WIDTH, height)
    figure.set_layout_engine("none")
    _head(figure, height, title, _used(chosen, events, odds=odds), odds=odds)
    highest, place = top(chosen) if odds else None, height - head
    for number, one in enumerate(chosen):
        place -= strips[number] + _PANEL + 0.2 * bool(number)
        axes = _axes(figure, height, place)
        _panel(axes, one, events[events["track"] == one.track], faces, highest, seconds)
        axes.tick_params(labelbottom=number == len(chosen) - 1)
    if not chosen:
        axes = _axes(figure, height, place - strips[0] - _PANEL)
        _ground(axes, seconds, None)
        axes.set_yticks([])
        words = "no face was found" if seconds else "no frame was read"
        axes.text(0.5, 0.5, words, transform=axes.transAxes, ha="center", va="center", fontsize=12)
    figure.axes[-1].set_xlabel("time (min:s)" if seconds > 120 else "time (s)")
    figure.text(_LEFT / _WIDTH, 0.1 / height, "\n".join(_foot(persons, chosen, note)), fontsize=7.5)
    return figure


def drawn(persons: Sequence[Person], events: pd.DataFrame) -> list[int]:
    """The numbers of the events whose faces the figure shows: the strongest of each person."""
    numbers: list[int] = []
    for one in _chosen(persons, events):
        own = events[events["track"] == one.track]
        numbers += own.nlargest(FACES, "log_odds")["event"].tolist()
    return numbers


def _chosen(persons: Sequence[Person], events: pd.DataFrame) -> list[Person]:
    """Those who are drawn, in the order of their numbers."""
    count = events["track"].value_counts()
    most = sorted(persons, key=lambda one: (-count.get(one.track, 0), -one.frames))[:PERSONS]
    return sorted(most, key=lambda one: one.track)


def _faces(events: pd.DataFrame, person: Person, faces: Mapping[int, Pixels]) -> pd.DataFrame:
    own = events[(events["track"] == person.track) & events["event"].isin(list(faces))]
    return own.nlargest(FACES, "log_odds").sort_values("apex")


def _used(persons: Sequence[Person], events: pd.DataFrame, *, odds: bool) -> list[Emotion]:
    if not odds:
        return [emotion for emotion in Emotion if any(emotion in one.curves for one in persons)]
    tracks = [one.track for one in persons]
    there = set(events[events["track"].isin(tracks)]["emotion"])
    return [emotion for emotion in Emotion if emotion in there]


def _axes(figure: Figure, height: float, bottom: float) -> Axes:
    width = 1 - (_LEFT + _RIGHT) / _WIDTH
    return figure.add_axes((_LEFT / _WIDTH, bottom / height, width, _PANEL / height))


def _head(
    figure: Figure, height: float, title: str, used: Sequence[Emotion], *, odds: bool
) -> None:
    left = _LEFT / _WIDTH
    figure.text(left, 1 - 0.3 / height, short(title), fontsize=12, weight="bold")
    words = (
        "expression intensity: smooth log-odds of each expressed emotion against neutral"
        if odds
        else "probability of each emotion; this network does not know neutral, so there is no level"
    )
    figure.text(left, 1 - 0.5 / height, words, fontsize=8.5)
    lines = [Line2D([], [], color=COLOURS_OF_EMOTIONS[e], lw=2.4, label=e.label) for e in used]
    if lines:
        figure.legend(
            handles=lines, loc="upper left", bbox_to_anchor=(left, 1 - 0.54 / height),
            ncols=len(lines), fontsize=8.5, borderaxespad=0, borderpad=0.2, handlelength=1.4,
        )  # fmt: skip


def _foot(persons: Sequence[Person], chosen: Sequence[Person], note: str) -> list[str]:
    if not chosen:
        return [note]
    lines = ["Filled: from onset to offset; dot: apex. Colours of the ground: the levels."]
    if left := len(persons) - len(chosen):
        lines[0] += f" {left} more person{'s' * (left > 1)} in the tables and on the page."
    return [*lines, note] if note else lines


def _ground(axes: Axes, seconds: float, highest: float | None) -> None:
    """The axes: log-odds up to the highest, the levels as bands; or probabilities for None."""
    axes.set(xlim=(0, max(seconds, 1e-3)), ylim=(0, 1))
    if seconds > 120:
        axes.xaxis.set_major_locator(MaxNLocator(10, steps=[1, 1.2, 1.5, 2, 3, 6, 10]))
        axes.xaxis.set_major_formatter(
            FuncFormatter(lambda at, _: f"{at // 60:.0f}:{at % 60:02.0f}")
        )
    axes.margins(0)
    if highest is None:
        return
    axes.set_ylim(LEAST, highest)
    edges = [LEAST, *THRESHOLDS, highest]
    for k, word in enumerate(LEVELS):
        axes.axhspan(edges[k], edges[k + 1], color=COLOURS_OF_LEVELS[word], alpha=0.16, lw=0)
        middle = (edges[k] + edges[k + 1]) / 2
        axes.text(
            1.006, middle, word, transform=axes.get_yaxis_transform(), fontsize=7.5, va="center"
        )
    axes.set_yticks(THRESHOLDS, [f"{value:.1f}" for value in THRESHOLDS], fontsize=7.5)


def _panel(
    axes: Axes,
    person: Person,
    events: pd.DataFrame,
    faces: Mapping[int, Pixels],
    highest: float | None,
    seconds: float,
) -> None:
    """One person: the curves of the emotions that have events, and the events on them."""
    _ground(axes, seconds, highest)
    axes.text(
        0.005, 0.955, person.name, transform=axes.transAxes, fontsize=9, weight="bold", va="top",
        bbox={"fc": "white", "ec": "none", "pad": 1.5, "alpha": 0.7}, zorder=6,
    )  # fmt: skip
    shown = [e for e in Emotion if e in set(events["emotion"])]
    if highest is None:
        for emotion, curve in person.curves.items():
            axes.plot(person.time, curve, c=COLOURS_OF_EMOTIONS[Emotion(emotion)], lw=1.2)
    elif not shown:
        words = "no expression reaches the level Average"
        axes.plot(person.time, person.strongest[1], c="#7a838d", lw=1)
        axes.text(0.5, 0.9, words, transform=axes.transAxes, ha="center", va="top", fontsize=8)
    for emotion in shown:
        colour, curve = COLOURS_OF_EMOTIONS[emotion], person.curves[emotion]
        axes.plot(person.time, curve, c=colour, lw=1.4, solid_joinstyle="round", zorder=3)
        own = events[events["emotion"] == emotion]
        inside = _inside(person, own)
        axes.fill_between(
            person.time, 0, curve, where=inside, color=colour, alpha=0.22, lw=0, zorder=2
        )
        axes.scatter(own["apex"], own["log_odds"], s=15, c=colour, ec="white", lw=0.6, zorder=5)
        if len(events) <= _MARKED:
            for side, marker in (("onset", "|"), ("offset", "|")):
                axes.scatter(own[side], np.zeros(len(own)), s=60, c=colour, marker=marker, zorder=4)
    _strip(axes, _faces(events, person, faces), faces, seconds)


def _inside(person: Person, events: pd.DataFrame) -> Bool[np.ndarray, " moment"]:
    """Which moments lie within one of the events."""
    within = np.zeros(len(person.time), bool)
    steps = np.diff(person.time)
    steps = steps[np.isfinite(steps)]
    half = float(np.median(steps)) / 2 if len(steps) else 0.0
    for onset, offset in events[["onset", "offset"]].itertuples(index=False):
        within |= (person.time >= onset - half) & (person.time <= offset + half)
    return within


def _strip(axes: Axes, events: pd.DataFrame, faces: Mapping[int, Pixels], seconds: float) -> None:
    """The faces above the curves, each joined to its apex."""
    inner = _WIDTH - _LEFT - _RIGHT
    room = (SIDE + 12) / 110 / inner
    centres = spread((events["apex"] / max(seconds, 1e-3)).to_numpy(np.float64), room)
    for centre, row in zip(centres, events.to_dict("records"), strict=True):
        colour = COLOURS_OF_EMOTIONS[Emotion(row["emotion"])]
        face = np.asarray(faces[row["event"]])
        picture = OffsetImage(face, zoom=SIDE / face.shape[0] * 72 / 110, dpi_cor=True)
        said = f"{Emotion(row['emotion']).label}\n{row['rank']}"
        words = TextArea(
            said, textprops={"fontsize": 6.5, "color": INK, "multialignment": "center"}
        )
        box = AnnotationBbox(
            VPacker(children=[words, picture], pad=0, sep=1.5, align="center"),
            (row["apex"], row["log_odds"]), (centre, 1 + 0.13 / _PANEL),
            xycoords="data", boxcoords="axes fraction", box_alignment=(0.5, 0), pad=0.15,
            arrowprops={
                "arrowstyle": "-", "color": colour, "lw": 0.9, "shrinkB": 2, "relpos": (0.5, 0),
            },
            bboxprops={"ec": colour, "lw": 1.2}, annotation_clip=False,
        )  # fmt: skip
        axes.add_artist(box)


def spread(wanted: Float[np.ndarray, " face"], room: float) -> Float[np.ndarray, " face"]:
    """Places between 0 and 1, at least `room` apart, as near as may be to the wanted ones.

    These are ascending.
    """
    if not len(wanted):
        return wanted
    before = room * np.arange(len(wanted))
    apart = isotonic_regression(wanted - before).x
    return np.asarray(np.clip(apart, room / 2, 1 - room / 2 - before[-1]) + before)
