"""Stage 7: everything that was measured of the study, on one page."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pandas as pd

from emorank import __version__
from emorank.errors import StudyError
from emorank.heatmaps import strip
from emorank.progress import Progress, silent
from emorank.report import headline as words
from emorank.report import page
from emorank.report.figures import explanation_of_row
from emorank.report.sections import (
    audit,
    closing,
    comparison,
    data,
    emotion,
    examples,
    faithfulness,
    groups,
    learnt,
    model,
    ranks,
    sheet,
)
from emorank.report.style import jpeg
from emorank.results.audit import Audit
from emorank.results.calibration import CalibratedRank
from emorank.results.comparison import Comparison
from emorank.results.faithfulness import Faithfulness
from emorank.results.groups import GroupResults
from emorank.results.ordinal import OrdinalTraining
from emorank.study.card import write_card
from emorank.study.described import described, headline, scores_of_study
from emorank.study.examples import pictures, ranked_faces, raters_said, surest
from emorank.study.folder import Study
from emorank.study.learning.calibrate import fitted_on
from emorank.study.other_network import network_sentence
from emorank.vocabulary import Emotion, Rank

# The files that the results come from.
HASHED = ("study.toml", "faces.parquet", "split.parquet", "model.safetensors", "votes.parquet")


def report(study: Study, progress: Progress = silent) -> str:
    """Write `report/index.html` and the model card; returns where the page is.

    Raises:
        StudyError: an earlier stage has not run.
    """
    page.write(_page(study, progress), study.path("report") / "index.html")
    write_card(study)
    return str(study.folder / "report" / "index.html")


def _page(study: Study, progress: Progress) -> page.Page:
    faces = study.table("faces").merge(study.table("split"), on="image")
    summary = described(study, faces)
    votes = sheet.votes_summary(study.table("votes"), study.plan.validate.ties)
    sections = _sections(study, summary, votes, progress)
    return page.Page(
        f"emorank study report · {datetime.now(UTC).strftime('%Y-%m-%d')}",
        study.plan.title,
        tuple(section for section in sections if section is not None),
        simulated=words.simulated(faces=summary.simulated, raters=bool(votes and votes.simulated)),
        results=headline(study),
        foot="Made by emorank. This page loads nothing from the network.",
    )


def _sections(
    study: Study, summary: data.FacesSummary, votes: sheet.VotesSummary | None, progress: Progress
) -> Iterator[page.Section | None]:
    """The sections in their order; None where there is nothing to show."""
    emotions, validation = scores_of_study(study)
    leakage = study.measured().leakage
    if leakage is None:
        raise StudyError(f"{study.folder}: its faces are not prepared yet; first: emorank run")
    plan: dict[str, Any] = msgspec.to_builtins(study.plan)
    rows = ranked_faces(study)
    ranked = rows[rows["rank"].notna()]
    known = ranked.loc[ranked["intensity"].notna(), ["intensity", "rank"]]
    by_group, simulated = study.read(GroupResults), bool(votes and votes.simulated)
    scores = study.read(Audit)
    calibrated, ordinal = study.read(CalibratedRank), study.read(OrdinalTraining)
    if study.plan.network:  # ranks that were learnt there, from other faces, are not shown
        calibrated = calibrated if fitted_on(study, study.table("faces")).any() else None
        ordinal = None
    yield data.faces_section(summary)
    yield data.split_section(
        f"by {study.plan.split.by}", study.plan.split.seed, leakage, network_sentence(study)
    )
    yield model.section({k: v for k, v in plan.items() if k != "title"}, study.table("training"))
    yield emotion.section(emotions)
    yield examples.section(tuple(_examples(study, ranked, progress)), _counts(ranked), known)
    yield faithfulness.section(study.read(Faithfulness), study.plan.explain.preset)
    yield ranks.section(validation, simulated=simulated)
    yield audit.section(scores, study.table(Audit.NAME) if scores else None)
    yield comparison.section(study.read(Comparison))
    yield learnt.section(calibrated, ordinal, simulated=simulated)
    yield groups.section(by_group)
    yield sheet.section(votes)
    yield data.exclusions_section(study.table("excluded"))
    yield closing.versions_section(__version__, {name: study.digest(name) for name in HASHED})
    yield closing.cite_section(__version__, summary.citation)
    yield closing.limits_section(by_group=by_group is not None)


def _counts(ranked: pd.DataFrame) -> pd.DataFrame:
    table = pd.crosstab(ranked["predicted"], ranked["rank"])
    return data.labelled(table, tuple(rank.label for rank in Rank))


def _examples(study: Study, ranked: pd.DataFrame, progress: Progress) -> Iterator[examples.Example]:
    """For every emotion and rank the surest of the rightly named faces."""
    chosen = surest(study, ranked, study.plan.report.examples)
    voted = study.measured().rank is not None
    raters = raters_said(study) if voted else {}
    seen = pictures(study, chosen)
    for number, ((_, row), (pixels, relevance)) in enumerate(
        zip(chosen.iterrows(), seen, strict=True)
    ):
        progress(number, len(chosen), "figures")
        yield examples.Example(
            image=row["image"],
            emotion=Emotion(row["predicted"]).label,
            rank=row["rank"],
            probability=float(row["probability"]),
            strip=strip(pixels, relevance),
            figure=jpeg(explanation_of_row(pixels, relevance, row.to_dict())),
            note=f"raters: {raters.get(row['image'], '–')}" if voted else "",
        )
