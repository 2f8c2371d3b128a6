"""A summary of ratings as tables for a person to read."""

from collections.abc import Iterable

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape as escape_markup
from rich.table import Table

from emorank.answers.answers_table import ANSWERS, RANKS
from emorank.answers.voting import SHORT
from emorank.evaluation.raters.agreement import CountAgreement
from emorank.evaluation.raters.rating_summary import EmotionSummary, RatingSummary
from emorank.evaluation.statistics.uncertainty import Estimate

_RATERS_SHOWN = 25
_COLUMNS_SHOWN = 14
_POLICIES = {"median": "ties to the median", "disputed": "ties disputed"}


def print_ratings(found: RatingSummary, sheet: pd.DataFrame, ties: str) -> None:
    """Everything that raters' answers came to."""
    console = Console(highlight=False)
    who = "raters" if found.named else "positions (who stands where is not known)"
    units = f", {found.units:,} pairs of image and emotion" if found.units != found.images else ""
    console.print(f"[bold]{found.images:,} images{units}, {found.raters:,} {who}[/]")
    _shares(console, "answer", found.answers, ANSWERS)
    _outcomes(console, found)
    _agreement(console, found)
    _emotions(console, found)
    _raters(console, found)
    _sheet(console, sheet, f"Sheet as Table 5, {_POLICIES[ties]}", found.units)


def print_emotions(found: EmotionSummary, sheet: pd.DataFrame) -> None:
    """Everything that votes on emotions came to."""
    console = Console(highlight=False)
    console.print(
        f"[bold]{found.images:,} images with counts of votes on which emotion is expressed[/]"
    )
    table = _table("category", "votes", "share", "most votes")
    total = sum(found.votes.values())
    for word, votes in found.votes.items():
        share = f"{votes / total:.1%}" if total else "–"
        table.add_row(_text(word), f"{votes:,}", share, f"{found.finals[word]:,}")
    table.add_row("[dim]several share the most[/]", "", "", f"{found.tied:,}")
    console.print(table)
    groups = {"all": found.agreement, **found.groups}
    table = _table("agreement", "images", "votes", "same pair", "Fleiss’ kappa", "alpha nominal")
    for name, part in groups.items():
        table.add_row(
            _text(name),
            f"{part.images:,}",
            f"{part.votes:,}",
            _estimate(part.observed),
            _estimate(part.fleiss_kappa),
            _estimate(part.alpha_nominal),
        )
    console.print(table)
    _sheet(console, sheet, "Counts; Final is the category with the most votes", found.images)


def _table(first: str, *numbers: str, title: str | None = None) -> Table:
    table = Table(box=SIMPLE_HEAD, title=title, title_justify="left", title_style="bold")
    table.add_column(first)
    for name in numbers:
        table.add_column(name, justify="right")
    return table


def _shares(console: Console, name: str, counts: dict[str, int], order: Iterable[str]) -> None:
    total = sum(counts.values())
    table = _table(name, "votes", "share")
    for word in order:
        share = f"{counts[word] / total:.1%}" if total else "–"
        table.add_row(word, f"{counts[word]:,}", share)
    console.print(table)


def _outcomes(console: Console, found: RatingSummary) -> None:
    table = _table("majority", *(_POLICIES[one.ties] for one in found.outcomes))
    for rank in RANKS:
        table.add_row(rank, *(f"{one.ranks[rank]:,}" for one in found.outcomes))
    table.add_row("no such emotion", *(f"{one.flagged:,}" for one in found.outcomes))
    table.add_row("disputed", *(f"{one.disputed:,}" for one in found.outcomes))
    if found.outcomes[0].unvoted:
        table.add_row("skips only", *(f"{one.unvoted:,}" for one in found.outcomes))
    console.print(table)
    console.print(f"{found.outcomes[0].tied:,} tied", end="")
    for one in found.sensitivity:
        share = f"{one.same / one.units:.1%}" if one.units else "–"
        console.print(f"; {one.method}: same verdict for {share}", end="")
    console.print()


def _agreement(console: Console, found: RatingSummary) -> None:
    whole = found.agreement
    counts = whole.counts
    none = "None is a level" if whole.none_as == "level" else "None is left out"
    title = f"Agreement on {counts.units:,} units with two votes or more; {none}"
    table = _table("statistic", "value and 95 % interval", title=title)
    for name, estimate in _named(counts):
        table.add_row(name, _estimate(estimate))
    table.add_row("Quadratic kappa of a pair of raters, mean", _estimate(whole.pairwise_kappa))
    table.add_row(
        "[bold]Human ceiling[/]: a rater with the others’ majority, mean quadratic kappa",
        f"[bold]{_estimate(whole.leave_one_out_kappa)}[/]",
    )
    console.print(table)
    shown = [
        *_named(counts),
        ("Pairs", whole.pairwise_kappa),
        ("Ceiling", whole.leave_one_out_kappa),
    ]
    for name, estimate in shown:
        if estimate.reason:
            console.print(f"[dim]{name}: {_text(estimate.reason)}[/]", soft_wrap=True)


def _named(counts: CountAgreement) -> list[tuple[str, Estimate]]:
    rows = [
        ("Same answer, of pairs of votes", counts.observed),
        ("Fleiss’ kappa", counts.fleiss_kappa),
        ("Krippendorff’s alpha, nominal", counts.alpha_nominal),
    ]
    if counts.alpha_ordinal is not None:
        rows.append(("Krippendorff’s alpha, ordinal", counts.alpha_ordinal))
    return rows


def _emotions(console: Console, found: RatingSummary) -> None:
    if not found.emotions:
        return
    table = _table(
        "emotion", "units", *SHORT.values(), "none", "tied", "alpha ordinal", "human ceiling"
    )
    table.columns[0].no_wrap = True  # names stay whole; numbers may take two lines
    for one in found.emotions:
        alpha = one.agreement.counts.alpha_ordinal
        table.add_row(
            _text(one.emotion or "(unknown)"),
            f"{one.units:,}",
            *(f"{one.outcome.ranks[rank]:,}" for rank in RANKS),
            f"{one.outcome.flagged:,}",
            f"{one.outcome.tied:,}",
            _estimate(alpha) if alpha else "–",
            _estimate(one.agreement.leave_one_out_kappa),
        )
    console.print(table)


def _raters(console: Console, found: RatingSummary) -> None:
    again = {one.rater: one for one in found.consistency}
    columns = ["votes", "pairs", "others’ majority"]
    columns += ["repeats", "same again", "kappa again"] if again else []
    table = _table("rater", *columns)
    everybody = found.consistency[:1]
    for one in found.agreement.raters[:_RATERS_SHOWN]:
        cells = [f"{one.votes:,}", _number(one.pairwise), _number(one.leave_one_out)]
        if again:
            own = again.get(one.rater)
            repeats = ["0", "–", "–"]
            if own is not None:
                repeats = [f"{own.repeats:,}", _estimate(own.same), _number(own.kappa)]
            cells += repeats
        table.add_row(_text(one.rater), *cells)
    for total in everybody:
        cells = [f"{total.repeats:,}", _estimate(total.same), _number(total.kappa)]
        table.add_row("[bold]all[/]", "", "", "", *cells)
    console.print(table)
    more = len(found.agreement.raters) - _RATERS_SHOWN
    if more > 0:
        console.print(f"[dim]… and {more:,} more raters (--json has all)[/]")


def _sheet(console: Console, sheet: pd.DataFrame, title: str, total: int) -> None:
    if not len(sheet):
        return
    shown = sheet
    if len(sheet.columns) > 2 * _COLUMNS_SHOWN:
        raters = [name for name in sheet.columns if name[:1] == "A" and name[1:].isdecimal()]
        shown = sheet.drop(columns=raters[_COLUMNS_SHOWN:])
    table = Table(*map(str, shown.columns), box=SIMPLE_HEAD, title=title, title_justify="left",
                  title_style="bold", padding=(0, 1, 0, 0))  # fmt: skip
    for row in shown.astype("object").itertuples(index=False, name=None):
        table.add_row(*("–" if pd.isna(cell) else _text(str(cell)) for cell in row))
    console.print(table)
    if total > len(sheet):
        console.print(f"[dim]{len(sheet):,} of {total:,} rows; --out writes all[/]")


def _estimate(value: Estimate) -> str:
    if value.value is None:
        return "–"
    if value.low is None or value.high is None:
        return f"{value.value:.3f}"
    return f"{value.value:.3f} \\[{value.low:.3f}, {value.high:.3f}]"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _text(words: str) -> str:
    """Words of a file: neither markup nor escape sequences of theirs reach the terminal."""
    return escape_markup("".join(c if c.isprintable() else "�" for c in words))
