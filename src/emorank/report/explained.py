"""The picture of an explanation, with what was explained in words."""

from collections.abc import Sequence

from emorank.errors import PlanError
from emorank.reading.explanations import Explanation
from emorank.report.figures import comparison
from emorank.report.score_line import number
from emorank.report.style import png

CLASSES = 40  # of one picture; more would be too small or too long to be looked at


def draw_explanation(explanation: Explanation, *, note: str = "") -> bytes:
    """A PNG: the image, its relevance under each preset, and what was explained.

    `note` is one more line of the heading, for instance on rules that were changed.
    """
    words = "\n".join(line for line in (verdict(explanation), *_below(explanation, note)) if line)
    title = str(explanation.image)
    return png(comparison(explanation.pixels, explanation.maps, verdict=words, title=title))


def draw_classes(explanations: Sequence[Explanation], *, note: str = "") -> bytes:
    """A PNG: one image and its relevance for each class side by side, all on one scale.

    The explanations are of one face, each for another class and under the same single preset, as
    `explain_images(…, each=True)` gives them; `note` is as for `draw_explanation`.

    Raises:
        PlanError: none, too many to draw, or under several presets.
    """
    check_classes(len(explanations), len(explanations[0].maps) if explanations else 0)
    first = explanations[0]
    maps = {}
    for one in explanations:
        name = f"{_class(one, one.target)}\nlogit {number(one.logit)}{_chance(one)}"
        (maps[name],) = one.maps.values()
    (preset,) = first.maps
    heading = f"every class on one scale, {preset}; predicted: {_class(first, first.predicted)}"
    words = "\n".join(line for line in (heading, *_below(first, note)) if line)
    title = str(first.image)
    return png(comparison(first.pixels, maps, verdict=words, title=title, one_scale=True))


def _below(explanation: Explanation, note: str) -> tuple[str, str]:
    """The further lines of a heading: changed rules, and how the network reads images."""
    return note, f"input: {explanation.reads}" if explanation.reads else ""


def check_classes(classes: int, presets: int) -> None:
    """Raise a PlanError for what `draw_classes` cannot draw."""
    if not 1 <= classes <= CLASSES:
        raise PlanError(
            f"expected 1 to {CLASSES} classes for one picture, got {classes}; choose one with a "
            "target"
        )
    if presets != 1:
        raise PlanError(f"expected one preset for a picture of every class, got {presets}")


def verdict(explanation: Explanation) -> str:
    """What was explained: "Happy (class 0), logit 9.52, probability 1.00".

    Or "Happy (class 0) against Fear (class 2), logit difference 3.10", "probability 0.98 of Happy
    (class 0), logit 9.52", "a target of your own"; and the predicted class where it is another.
    """
    words = _target(explanation)
    if explanation.predicted != explanation.target:
        words.append(f"predicted: {_class(explanation, explanation.predicted)}")
    return ", ".join(words)


def _target(explanation: Explanation) -> list[str]:
    target = _class(explanation, explanation.target)
    logit = f"logit {number(explanation.logit)}"
    if explanation.against is not None and explanation.difference is not None:
        other = _class(explanation, explanation.against)
        return [f"{target} against {other}, logit difference {number(explanation.difference)}"]
    if explanation.kind == "probability" and explanation.probability is not None:
        return [f"probability {explanation.probability:.2f} of {target}", logit]
    if explanation.kind == "own":
        predicted = _class(explanation, explanation.predicted)
        return [f"a target of your own, predicted: {predicted}"]
    return [target, f"{logit}{_chance(explanation)}"]


def _chance(explanation: Explanation) -> str:
    probability = explanation.probability
    return "" if probability is None else f", probability {probability:.2f}"


def _class(explanation: Explanation, index: int) -> str:
    if explanation.labels is None:
        return f"class {index}"
    label = explanation.labels[index]
    return f"{label if len(label) <= 24 else label[:23] + '…'} (class {index})"
