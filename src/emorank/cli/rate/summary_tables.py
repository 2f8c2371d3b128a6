"""A summary of ratings as tables for a person to read."""

from collections.abc import Iterable

import pandas as pd
from rich.text import Text

from emorank.answers.answers_table import ANSWERS, RANKS
from emorank.answers.voting import SHORT
from emorank.cli.terminal import print_line, print_table
from emorank.evaluation.raters.agreement import CountAgreement
from emorank.evaluation.raters.rating_summary import EmotionSummary, RatingSummary
from emorank.evaluation.statistics.uncertainty import Estimate
from emorank.report.words import FAST, cell, estimate, part

MOST_RATERS = 25
MOST_COLUMNS = 14  # of raters, in a sheet that is too wide
_POLICIES = {"median": "ties to the median", "disputed": "ties disputed"}


def print_ratings(summary: RatingSummary, sheet: pd.DataFrame, ties: str) -> None:
    """Print the results of raters' answers."""
    who = "raters" if summary.named else "positions (the same one may be another rater elsewhere)"
    units = summary.units
    pairs = f", {units:,} pairs of image and emotion" if units != summary.images else ""
    print_line(f"{summary.images:,} images{pairs}, {summary.raters:,} {who}", "bold")
    votes = sum(summary.answers.values())
    rows = [(word, summary.answers[word], _share(summary.answers[word], votes)) for word in ANSWERS]
    print_table(("answer", "votes", "share"), _cells(rows))
    _print_majority(summary)
    _print_agreement(summary)
    _print_emotions(summary)
    _print_raters(summary)
    for total in summary.speed[:1]:
        print_line(f"{FAST}: {part(total.fast, total.timed)} of {total.timed:,} timed answers")
    _print_sheet(sheet, f"Sheet as Table 5, {_POLICIES[ties]}", units)


def print_emotions(summary: EmotionSummary, sheet: pd.DataFrame) -> None:
    """Print the results of votes on emotions."""
    what = "images with counts of votes on which emotion is expressed"
    print_line(f"{summary.images:,} {what}", "bold")
    total = sum(summary.votes.values())
    rows: list[tuple[object, ...]] = [
        (word, votes, _share(votes, total), summary.finals[word])
        for word, votes in summary.votes.items()
    ]
    rows.append((Text("several share the most", "dim"), "", "", summary.tied))
    print_table(("category", "votes", "share", "most votes"), _cells(rows))
    columns = ("agreement", "images", "votes", "same pair", "Fleiss’ kappa", "alpha nominal")
    groups = {"all": summary.agreement, **summary.groups}
    agreement = (
        (name, part.images, part.votes, part.observed, part.fleiss_kappa, part.alpha_nominal)
        for name, part in groups.items()
    )
    print_table(columns, _cells(agreement))
    _print_sheet(sheet, "Counts; Final is the category with the most votes", summary.images)


def _print_majority(summary: RatingSummary) -> None:
    outcomes = summary.outcomes
    rows: list[tuple[object, ...]] = [
        (rank, *(one.ranks[rank] for one in outcomes)) for rank in RANKS
    ]
    rows.append(("no such emotion", *(one.flagged for one in outcomes)))
    rows.append(("disputed", *(one.disputed for one in outcomes)))
    if outcomes[0].unvoted:
        rows.append(("skips only", *(one.unvoted for one in outcomes)))
    print_table(("majority", *(_POLICIES[one.ties] for one in outcomes)), _cells(rows))
    others = "".join(
        f"; {one.method}: same verdict for {_share(one.same, one.units)}"
        for one in summary.sensitivity
    )
    print_line(f"{outcomes[0].tied:,} tied{others}")


def _print_agreement(summary: RatingSummary) -> None:
    whole = summary.agreement
    none = "None is a level" if whole.none_as == "level" else "None is left out"
    ceiling = "a rater with the others’ majority, mean quadratic kappa"
    rows: list[tuple[object, Estimate]] = [
        *_statistics(whole.counts),
        ("Quadratic kappa of a pair of raters, mean", whole.pairwise_kappa),
        (Text.assemble(("Human ceiling", "bold"), f": {ceiling}"), whole.leave_one_out_kappa),
    ]
    columns = ("statistic", "value and 95 % interval")
    title = f"Agreement on {whole.counts.units:,} units with two votes or more; {none}"
    print_table(columns, _cells(rows), one_line=columns[1:], title=title)
    for name, value in rows:
        if value.reason:
            print_line(f"{name}: {value.reason}", "dim")


def _statistics(counts: CountAgreement) -> list[tuple[str, Estimate]]:
    rows = [
        ("Same answer, of pairs of votes", counts.observed),
        ("Fleiss’ kappa", counts.fleiss_kappa),
        ("Krippendorff’s alpha, nominal", counts.alpha_nominal),
    ]
    if counts.alpha_ordinal is not None:
        rows.append(("Krippendorff’s alpha, ordinal", counts.alpha_ordinal))
    return rows


def _print_emotions(summary: RatingSummary) -> None:
    if not summary.emotions:
        return
    columns = ("emotion", "units", *SHORT.values(), "none", "tied", "alpha ordinal")
    rows = [
        (
            one.emotion or "(unknown)",
            one.units,
            *(one.outcome.ranks[rank] for rank in RANKS),
            one.outcome.flagged,
            one.outcome.tied,
            one.agreement.counts.alpha_ordinal,
            one.agreement.leave_one_out_kappa,
        )
        for one in summary.emotions
    ]
    print_table((*columns, "human ceiling"), _cells(rows))


def _print_raters(summary: RatingSummary) -> None:
    again = {one.rater: one for one in summary.consistency}
    hasty = any(one.fast for one in summary.speed)
    speeds = {one.rater: part(one.fast, one.timed) for one in summary.speed if hasty}
    columns = ["rater", "votes", "pairs", "others’ majority"]
    rows: list[tuple[object, ...]] = []
    for one in summary.agreement.raters[:MOST_RATERS]:
        row = (one.rater, one.votes, one.pairwise, one.leave_one_out)
        own = again.get(one.rater)
        rows.append((*row, *((own.repeats, own.same, own.kappa) if own else (0, None, None))))
    rows.extend(
        (Text("all", "bold"), "", "", "", total.repeats, total.same, total.kappa)
        for total in summary.consistency[:1]
    )
    if again:
        columns += ["repeats", "same again", "kappa again"]
    rows = [row[: len(columns)] for row in rows]
    if speeds:
        columns.append(FAST)
        rows = [(*row, speeds.get(str(row[0]))) for row in rows]
    print_table(columns, _cells(rows))
    more = len(summary.agreement.raters) - MOST_RATERS
    if more > 0:
        print_line(f"… and {more:,} more raters (--json has all)", "dim")


def _print_sheet(sheet: pd.DataFrame, title: str, total: int) -> None:
    if not len(sheet):
        return
    columns, left_out = list(sheet.columns), list[str]()
    if len(columns) > 2 * MOST_COLUMNS:
        raters = [name for name in columns if name[:1] == "A" and name[1:].isdecimal()]
        left_out = raters[MOST_COLUMNS:]
        columns = list(sheet.columns.drop(left_out))
    rows = sheet[columns].astype("object").itertuples(index=False, name=None)
    cells = [[None if pd.isna(value) else str(value) for value in row] for row in rows]
    print_table(columns, cells, title=title)
    if total > len(sheet):
        print_line(f"{len(sheet):,} of {total:,} rows; --out writes all", "dim")
    if left_out:
        print_line(f"without {left_out[0]} to {left_out[-1]}; --out writes all", "dim")


def _cells(rows: Iterable[tuple[object, ...]]) -> list[list[object]]:
    return [[_cell(value) for value in row] for row in rows]


def _cell(value: object) -> object:
    if isinstance(value, Estimate):
        return estimate(value, 3)
    return value if value is None or isinstance(value, str | Text) else cell(value, 3)


def _share(part: int, whole: int) -> str | None:
    return f"{part / whole:.1%}" if whole else None
