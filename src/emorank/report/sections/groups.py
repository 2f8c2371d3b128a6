"""Results by group on the page and the terminal: a table, a figure, and what the tests say."""

import pandas as pd
from matplotlib.figure import Figure

from emorank.evaluation.group_scores import Attribute, Group
from emorank.evaluation.group_tests import LEAST_PERSONS, GroupTest
from emorank.evaluation.statistics.uncertainty import Estimate
from emorank.report.page import Section, section_of
from emorank.report.rating_figures import estimates
from emorank.report.style import short
from emorank.report.words import cell, chance, estimate
from emorank.results.groups import GroupResults

SHOWN = ("emotion accuracy", "rank accuracy", "rank quadratic kappa")
SIGNIFICANT = 0.05


def section(result: GroupResults | None) -> Section | None:
    """The section; None if nobody asked for results by group."""
    if result is None:
        return None
    parts = [(one, columns(one), figure(one), differences(one)) for one in result.attributes]
    return section_of("groups", "Results by group", result=result, parts=parts, least=LEAST_PERSONS)


def columns(attribute: Attribute) -> pd.DataFrame:
    """One row per group: how many, each score with its interval, and the constant answers'."""
    ranked = any(group.ranked for group in attribute.groups)
    rows = []
    for group in attribute.groups:
        row = {
            "Group": group.name,
            "Persons": cell(group.persons) + (" *" if _small(group) else ""),
            "Images": cell(group.images),
            "Emotion": estimate(group.scores["emotion accuracy"]),
            "Balanced": estimate(group.scores["emotion balanced accuracy"]),
            "Constant": cell(group.chance["emotion"]),
        }
        if ranked:
            row |= {
                "Ranked": cell(group.ranked),
                "Rank": estimate(group.scores["rank accuracy"]),
                "Constant rank": cell(group.chance["rank"]),
                "Kappa": estimate(group.scores["rank quadratic kappa"]),
            }
        rows.append(row)
    return pd.DataFrame(rows)


def differences(attribute: Attribute) -> list[str]:
    """What the test of each score says, in a sentence; reasons that are alike together."""
    said, untested = [], dict[str, list[str]]()
    for one in attribute.differences:
        if one.p is None:
            untested.setdefault(one.reason, []).append(one.score)
        else:
            said.append(_sentence(one))
    said += [f"Not tested: {', '.join(scores)}: {why}." for why, scores in untested.items()]
    return said


def _sentence(one: GroupTest) -> str:
    differs = one.adjusted is not None and one.adjusted < SIGNIFICANT
    verdict = "differs between the groups" if differs else "no difference shown"
    return (
        f"{one.score.capitalize()}: {verdict} ({', '.join(one.groups)}; "
        f"largest gap {cell(one.gap)}, p {_equals(one.p)}, corrected {chance(one.adjusted)}; "
        f"{one.method})."
    )


def _equals(p: float | None) -> str:
    written = chance(p)
    return written if written.startswith("<") else f"= {written}"


def figure(attribute: Attribute) -> Figure | None:
    """A dot and its interval for each group and score; None if no score has an interval."""
    rows = {_name(group): _scores(group) for group in attribute.groups}
    if not any(rows.values()):
        return None
    return estimates(rows, "score, with its 95 % interval over persons (number in brackets)")


def _scores(group: Group) -> dict[str, Estimate]:
    # A dot without an interval, or with one of no width, would look surer than one with a wide one.
    return {
        name: score
        for name, score in group.scores.items()
        if name in SHOWN and score.low is not None and score.low != score.high
    }


def _name(group: Group) -> str:
    count = group.images if group.persons is None else group.persons
    return f"{short(group.name, 16)} ({count}){' *' if _small(group) else ''}"


def _small(group: Group) -> bool:
    return (group.images if group.persons is None else group.persons) < LEAST_PERSONS
