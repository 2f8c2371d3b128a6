"""Stage 7: everything that was measured of the study, on one page."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pandas as pd

from emorank import __version__
from emorank.errors import StudyError
from emorank.evaluation.rank_scores import RankValidation
from emorank.progress import Progress, silent
from emorank.reading.reader import RankedFace
from emorank.report import headline as words
from emorank.report import page
from emorank.report.figures import explanation_of_row
from emorank.report.first_face import first_face
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
    papers_rule,
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
from emorank.study.examples import (
    pictures,
    ranked_faces,
    raters_said,
    surest,
    usually_ranked,
)
from emorank.study.folder import Study
from emorank.study.learning.calibrate import fitted_on
from emorank.study.other_network import network_sentence
from emorank.study.shown_heatmaps import shown_faces
from emorank.study.test_part_ranks import compare_ranks, known_strength, stored_default
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
    if study.measured().ranks is None:  # validated by an earlier version
        study.write_metrics("ranks", compare_ranks(study))
    name, usual = stored_default(study)
    chosen = surest(study, usually_ranked(study, usual), study.plan.report.examples)
    shown = shown_faces(study, chosen, progress)
    first = max(shown, key=_of_the_first, default=None)
    sections = _sections(study, summary, votes, (name, usual), shown, progress)
    return page.Page(
        f"emorank study report · {datetime.now(UTC).strftime('%Y-%m-%d')}",
        study.plan.title,
        tuple(section for section in sections if section is not None),
        simulated=words.simulated(faces=summary.simulated, raters=bool(votes and votes.simulated)),
        lead="" if first is None else first_face(first, name),
        results=headline(study),
        foot="Made by emorank. This page loads nothing from the network.",
    )


def _of_the_first(face: RankedFace) -> tuple[bool, bool, float]:
    """By what the face at the top is chosen: a strong smile is understood at once."""
    strong = face.row["rank"] == Rank.STRONG.label
    return strong, face.row["expressed"] == Emotion.HAPPY, face.row["expressed_p"]


def _sections(
    study: Study,
    summary: data.FacesSummary,
    votes: sheet.VotesSummary | None,
    usual: tuple[str, pd.DataFrame],
    shown: Sequence[RankedFace],
    progress: Progress,
) -> Iterator[page.Section | None]:
    """The sections in their order; None where there is nothing to show.

    `usual` is the name and the table of the rank that people get, `shown` are its examples.
    """
    emotions, validation = scores_of_study(study)
    leakage = study.measured().leakage
    if leakage is None:
        raise StudyError(f"{study.folder}: its faces are not prepared yet; first: emorank run")
    plan: dict[str, Any] = msgspec.to_builtins(study.plan)
    rows = ranked_faces(study)
    ranked = rows[rows["rank"].notna()]
    by_group, simulated = study.read(GroupResults), bool(votes and votes.simulated)
    scores = study.read(Audit)
    calibrated, ordinal = study.read(CalibratedRank), study.read(OrdinalTraining)
    if study.plan.network:  # ranks that were learnt there, from other faces, are not shown
        calibrated = calibrated if fitted_on(study, study.table("faces")).any() else None
        ordinal = None
    yield emotion.section(emotions)
    yield _ranks(study, usual, ranked, validation, simulated=simulated)
    yield examples.section(
        list(_examples(study, shown)),
        rank=words.TITLES[usual[0]],
        neutral=f"p_{Emotion.NEUTRAL}" in usual[1],
    )
    yield papers_rule.section(
        validation, list(_ruled(study, ranked, progress)), _counts(ranked), simulated=simulated
    )
    yield audit.section(scores, study.table(Audit.NAME) if scores else None)
    yield comparison.section(study.read(Comparison))
    yield faithfulness.section(study.read(Faithfulness), study.plan.explain.preset)
    yield learnt.section(calibrated, ordinal, simulated=simulated)
    yield groups.section(by_group)
    yield data.faces_section(summary)
    yield data.split_section(
        f"by {study.plan.split.by}", study.plan.split.seed, leakage, network_sentence(study)
    )
    yield model.section({k: v for k, v in plan.items() if k != "title"}, study.table("training"))
    yield sheet.section(votes)
    yield data.exclusions_section(study.table("excluded"))
    yield closing.versions_section(__version__, {name: study.digest(name) for name in HASHED})
    yield closing.cite_section(__version__, summary.citation)
    yield closing.limits_section(by_group=by_group is not None)


def _ranks(
    study: Study,
    usual: tuple[str, pd.DataFrame],
    ranked: pd.DataFrame,
    validation: RankValidation | None,
    *,
    simulated: bool,
) -> page.Section:
    """Both ranks side by side, on the faces whose emotion was recognised."""
    name, table = usual
    compared = study.measured().ranks
    known = compared is not None and (compared.follows or compared.validated)
    right = ranked[ranked["emotion"] == ranked["predicted"]]
    levels = right[["image", "rank"]].rename(columns={"rank": words.PAPER})
    levels = levels.merge(table[["image", "rank"]].rename(columns={"rank": name}), on="image")
    truth = known_strength(study)
    levels["truth"] = levels["image"].map(truth)
    return ranks.section(
        compared if known else None,
        validation,
        levels,
        _counts(usually_ranked(study, table)),
        simulated=simulated,
    )


def _counts(ranked: pd.DataFrame) -> pd.DataFrame:
    table = pd.crosstab(ranked["predicted"], ranked["rank"])
    return data.labelled(table, tuple(rank.label for rank in Rank))


def _examples(study: Study, shown: Sequence[RankedFace]) -> Iterator[examples.Example]:
    """Of every emotion and level the faces that were chosen, with what else is known of them."""
    raters = raters_said(study) if study.measured().rank is not None else None
    for face in shown:
        note = [] if raters is None else [f"raters: {raters.get(face.row['image'], '–')}"]
        if not pd.isna(face.row["intensity"]):
            note.append(f"known intensity {face.row['intensity']:.2f}")
        yield examples.example(face, " · ".join(note))


def _ruled(
    study: Study, ranked: pd.DataFrame, progress: Progress
) -> Iterator[papers_rule.RuledFace]:
    """Of every emotion the surest face, with what the paper's rule reads."""
    number = min(1, study.plan.report.examples)
    chosen = surest(study, ranked, number, ("predicted",))
    seen = pictures(study, chosen)
    for done, ((_, row), (pixels, relevance)) in enumerate(
        zip(chosen.iterrows(), seen, strict=True)
    ):
        progress(done, len(chosen), "figures")
        yield papers_rule.RuledFace(
            image=row["image"],
            emotion=Emotion(row["predicted"]).label,
            rank=row["rank"],
            figure=jpeg(explanation_of_row(pixels, relevance, row.to_dict())),
        )
