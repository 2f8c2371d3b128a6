"""The methods of a rating study in words that can be pasted: only what the data say, and gaps."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from emorank.evaluation.raters.careless import Marks, Rule
from emorank.evaluation.raters.rating_summary import RatingSummary
from emorank.evaluation.raters.scale_summary import ScaleSummary
from emorank.report import latex, words
from emorank.report.exclusion import statistics, with_and_without
from emorank.room.facts import Facts

_CITED = re.compile(r"\[@(\w+(?:; @\w+)*)\]")
BIBLIOGRAPHY = {
    "krippendorff2011": "@misc{krippendorff2011,\n  author = {Krippendorff, Klaus},\n  title = "
    "{Computing {K}rippendorff's Alpha-Reliability},\n  year = {2011},\n  howpublished = "
    "{University of Pennsylvania, Annenberg School for Communication}\n}",
    "fleiss1971": "@article{fleiss1971,\n  author = {Fleiss, Joseph L.},\n  title = {Measuring "
    "nominal scale agreement among many raters},\n  journal = {Psychological Bulletin},\n  "
    "volume = {76},\n  pages = {378--382},\n  year = {1971}\n}",
    "mcgraw1996": "@article{mcgraw1996,\n  author = {McGraw, Kenneth O. and Wong, S. P.},\n  title "
    "= {Forming inferences about some intraclass correlation coefficients},\n  journal = "
    "{Psychological Methods},\n  volume = {1},\n  pages = {30--46},\n  year = {1996}\n}",
    "bradley1952": "@article{bradley1952,\n  author = {Bradley, Ralph Allan and Terry, Milton E.},"
    "\n  title = {Rank analysis of incomplete block designs: {I}. The method of paired "
    "comparisons},\n  journal = {Biometrika},\n  volume = {39},\n  pages = {324--345},\n  year = "
    "{1952}\n}",
    "curran2016": "@article{curran2016,\n  author = {Curran, Paul G.},\n  title = {Methods for the "
    "detection of carelessly invalid responses in survey data},\n  journal = {Journal of "
    "Experimental Social Psychology},\n  volume = {66},\n  pages = {4--19},\n  year = {2016}\n}",
    "emorank": "@software{emorank,\n  author = {{The emorank maintainers}},\n  title = {emorank},"
    "\n  version = {VERSION}\n}",
}


@dataclass(frozen=True)
class Methods:
    """The text, with citations as [@key] and gaps as [TO FILL IN: …]; the table of results."""

    sentences: tuple[str, ...]
    results: pd.DataFrame
    version: str

    def markdown(self) -> str:
        """As Pandoc reads it."""
        head, *rows = [[*map(str, row)] for row in [self.results.columns, *self.results.to_numpy()]]
        lines = ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)]
        return "\n".join([" ".join(self.sentences), "", *lines, ""])

    def latex(self) -> str:
        r"""A paragraph with \citep, and a table; the document needs natbib and booktabs."""
        text = " ".join(self.sentences).replace("’", "'")
        pieces, end = [], 0
        for found in _CITED.finditer(text):
            keys = found[1].replace("; @", ",")
            pieces += [latex.escape(text[end : found.start()]).rstrip(), rf"~\citep{{{keys}}}"]
            end = found.end()
        pieces.append(latex.escape(text[end:]))
        plain = self.results.map(lambda cell: cell.replace("’", "'"))
        made = latex.table(plain, caption="Agreement of the raters", label="tab:raters")
        return "".join(pieces) + "\n\n" + made

    def bibtex(self) -> str:
        """The entries of what is cited."""
        cited = {key for found in _CITED.findall(" ".join(self.sentences))
                 for key in found.split("; @")}  # fmt: skip
        entries = "\n\n".join(BIBLIOGRAPHY[key] for key in sorted(cited))
        return entries.replace("VERSION", self.version) + "\n"


def methods(
    what: Facts,
    summary: RatingSummary | ScaleSummary,
    rule: Rule | None,
    told: str,
    marks: tuple[Marks, ...],
    without: RatingSummary | ScaleSummary | None,
    version: str,
) -> Methods:
    """Describe a study; `told` says where the rule comes from, `version` is emorank's."""
    found = statistics(summary)
    table = pd.DataFrame(
        {
            "Statistic": list(found),
            "Value and 95 % interval": [words.estimate(one, 3) for one in found.values()],
        }
    )
    if without is not None:
        table = with_and_without(summary, without)
    sentences = (
        *_stimuli(what), *_raters(what), *_procedure(what), *_scale(what, summary),
        *_exclusions(rule, told, marks), *_agreement(summary, without),
        f"Ratings were collected and summarised with emorank {version} [@emorank].",
    )  # fmt: skip
    return Methods(sentences, table, version)


def _stimuli(what: Facts) -> Iterator[str]:
    total = sum(what.faces.values())
    each = ", ".join(f"{count} {word}" for word, count in what.faces.items())
    persons = f" of {what.persons} persons" if what.persons else ""
    source = f" (source: {what.source})" if what.source else " [TO FILL IN: source of the images]"
    yield f"{total} faces{persons}{source} were rated ({each})."
    if not what.persons:
        yield "[TO FILL IN: number of persons on the images.]"
    if what.pairs:
        yield f"They were shown in {what.pairs} pairs of the same expressed emotion."


def _raters(what: Facts) -> Iterator[str]:
    none = what.invited - what.rated
    others = _count(none, "other was", "others were")
    more = f"; {others} invited and gave no answer" if none else ""
    done = f"of whom {what.finished} rated all that they were shown"
    yield f"{what.rated} raters took part, {done}{more}."
    yield "[TO FILL IN: recruitment, payment, age and gender of the raters; ethics approval.]"
    if what.first_at is not None and what.last_at is not None:
        days = [words.moment(at)[:10] for at in (what.first_at, what.last_at)]
        yield f"Answers were given from {days[0]} to {days[1]}."
    if set(what.languages) - {"en"}:
        each = ", ".join(
            f"{code} ({_count(count, 'rater', 'raters')})" for code, count in what.languages.items()
        )
        yield f"Languages of their pages (ISO 639): {each}."


def _procedure(what: Facts) -> Iterator[str]:
    unit = "pair" if what.pairs else "face"
    low, high = what.units_each
    each = f"{low}" if low == high else f"{low} to {high}"
    fewest, most = what.raters_each
    raters = f"{fewest}" if fewest == most else f"{fewest} to {most}"
    yield f"Each rater was shown {each} {unit}s; each {unit} was answered by {raters} raters."
    if what.imported:
        yield (
            f"{what.imported} of {what.answers} answers were imported. [TO FILL IN: how the "
            "imported answers were collected.]"
        )
    if what.imported == what.answers:
        return
    order = "one expressed emotion after another, in an order drawn for each rater"
    if what.ordering == "mixed":
        order = "in an order drawn for each rater"
    yield f"The {unit}s came {order}."
    if what.repeats:
        yield f"{what.repeats:.0%} of the {unit}s were shown a second time to measure consistency."
    exposure = what.declared.get("exposure")
    if exposure:
        yield (
            f"Each face was shown for {exposure['face_ms']} ms, after a fixation cross of "
            f"{exposure.get('fixation_ms', 500)} ms{_mask(exposure)}; the answer followed."
        )
        if what.shown_again:
            yield (
                f"Before {what.shown_again} of {what.answers} answers the face was shown more than "
                "once, because the page was loaded again, hidden or covered."
            )
    else:
        yield (
            f"The {unit} stayed on the screen until the answer, and answers counted after "
            f"{what.shortest_ms} ms."
        )
    if practice := (what.declared.get("practice") or {}).get("faces"):
        number = _count(len(practice), "practice trial", "practice trials")
        yield f"{number} came first, not analysed."
    if checks := what.declared.get("checks"):
        number = _count(len(checks), "attention check was", "attention checks were")
        yield f"{number} placed among the {unit}s."
    if breaks := what.declared.get("breaks"):
        yield f"A break was offered after every {breaks['every']} {unit}s."
    if what.declared.get("consent") is not None:
        yield "All raters read a page of information and agreed before they began."
    if what.face_size is not None:
        yield (
            f"Faces were shown {what.face_size} CSS pixels large (smaller where a window was too "
            f"small) on a background of {what.background}, in the raters' own browsers."
        )


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _mask(exposure: dict[str, Any]) -> str:
    """What followed a face of fixed time."""
    if not exposure.get("mask_ms"):
        return ""
    what = "grey squares" if exposure.get("mask") == "noise" else "the empty background"
    return f" and before {exposure['mask_ms']} ms of {what}"


def _scale(what: Facts, summary: RatingSummary | ScaleSummary) -> Iterator[str]:
    question = what.question.replace("{emotion}", "[emotion]")
    scale = what.scale
    if what.imported == what.answers:  # and not all of them may be answers to our question
        yield f"Answers were {', '.join(scale.levels)}."
        return
    if scale.kind == "slider":
        how = "on a slider from 0 (not at all) to 100 (as strongly as possible), nothing preset"
    elif scale.kind == "pairs":
        how = "by choosing the left or the right face" + (" or “equal”" if scale.ties else "")
        how += "; sides were balanced over raters"
    else:
        how = f"with {', '.join(scale.levels)}"
    yield f"Raters answered the question “{question}” {how}."
    if scale.kind != "pairs":
        yield "They could also say that a face does not express the emotion, or skip it."
    else:
        yield (
            "Scores are those of the Bradley-Terry model [@bradley1952] with a quadratic penalty "
            "of 0.1, fitted for each emotion."
        )
    if summary.reaction_ms is not None:
        yield f"The median reaction time was {summary.reaction_ms / 1000:.1f} s."


def _exclusions(rule: Rule | None, told: str, marks: tuple[Marks, ...]) -> Iterator[str]:
    if rule is None:
        yield "No raters were excluded; no exclusion rule was declared."
        return
    out = sum(one.excluded for one in marks)
    number = f"{rule.least} or more" if rule.least > 1 else "one or more"
    yield (
        f"Raters who met {number} of these criteria [@curran2016] were excluded ({told}): "
        f"{'; '.join(_CRITERIA[m].format(sign=_SIGNS[s], n=n) for m, s, n in rule.criteria)}."
    )
    yield f"This excluded {out} of {len(marks)} raters."


_SIGNS = {">": "more than", ">=": "at least", "<": "less than", "<=": "at most"}
_CRITERIA = {
    "fast": "{sign} {n:.0%} of the answers faster than half a second or the shortest viewing time",
    "run": "a run of the same answer that makes up {sign} {n:.0%} of the answers",
    "checks": "{sign} {n:.0%} of the attention checks failed",
    "repeats": "{sign} {n:.0%} of the repeated items answered alike",
}


def _agreement(
    summary: RatingSummary | ScaleSummary, without: RatingSummary | ScaleSummary | None
) -> Iterator[str]:
    names = {
        "Krippendorff’s alpha, ordinal": "[@krippendorff2011]",
        "Krippendorff’s alpha, nominal": "[@krippendorff2011]",
        "ICC(A,1), absolute agreement of one rating": "[@mcgraw1996]",
    }
    shown = [("all raters", summary), *([("the raters who remained", without)] if without else [])]
    for who, one in shown:
        found = statistics(one)
        for name, source in names.items():
            value = found.get(name)
            if value is not None and value.value is not None:
                text = words.estimate(value)
                yield f"{name}, was {text} for {who} (95 % bootstrap interval over items) {source}."
                break
        else:
            yield f"[TO FILL IN: agreement of {who}; the data do not define it yet.]"
