"""A small study, simulated, for figures and page."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from emorank import heatmaps
from emorank.answers.voting import majority, sheet
from emorank.datasets.leakage import Leakage
from emorank.evaluation import classification, validation
from emorank.evaluation.classification import Classification
from emorank.evaluation.laboratory.one_rater import one_rater
from emorank.evaluation.laboratory.validity import correlations
from emorank.evaluation.rank_scores import RankValidation
from emorank.evaluation.statistics.columns import Options
from emorank.reading.reader import RankedFace
from emorank.report import figures, style
from emorank.report.first_face import first_face
from emorank.report.headline import headline, simulated
from emorank.report.page import Page, Section, render
from emorank.report.sections import data, emotion, model, papers_rule, ranks
from emorank.report.sections import examples as faces
from emorank.report.sections import sheet as votes_sheet
from emorank.report.sections.closing import cite_section, limits_section, versions_section
from emorank.report.sections.data import FacesSummary
from emorank.report.sections.examples import Example
from emorank.report.sections.papers_rule import RuledFace
from emorank.report.sections.sheet import VotesSummary
from emorank.results.metrics import RanksCompared

EMOTIONS = ("anger", "happy", "neutral")
RANKS = ("Minimal", "Average", "Strong")


@dataclass(frozen=True)
class Small:
    """What the sections of a small study are made of; `more` are sections of other verbs."""

    title: str
    data: FacesSummary
    emotions: Classification
    validation: RankValidation | None
    votes: VotesSummary | None
    leakage: Leakage
    plan: dict
    training: pd.DataFrame | None
    examples: tuple[Example, ...]
    counts: pd.DataFrame | None
    compared: RanksCompared | None
    levels: pd.DataFrame
    ruled: tuple[RuledFace, ...]
    first: RankedFace | None
    excluded: pd.DataFrame
    hashes: dict
    headline: tuple[str, ...] = ()
    more: tuple[Section | None, ...] = ()

    def page(self, *more: Section | None) -> Page:
        """All of it as a page."""
        raters = bool(self.votes and self.votes.simulated)
        sections = (
            emotion.section(self.emotions),
            ranks.section(
                self.compared, self.validation, self.levels, self.counts, simulated=raters
            ),
            faces.section(self.examples, rank="the contrast to neutral", neutral=True),
            papers_rule.section(self.validation, self.ruled, self.counts, simulated=raters),
            *(section for section in more if section is not None),
            data.faces_section(self.data),
            data.split_section("by person", 1, self.leakage),
            model.section(self.plan, self.training),
            votes_sheet.section(self.votes),
            data.exclusions_section(self.excluded),
            versions_section("0.1", self.hashes),
            cite_section("0.1", self.data.citation),
            limits_section(by_group=any(s is not None and s.name == "groups" for s in more)),
        )
        return Page(
            "emorank study report",
            self.title,
            sections,
            simulated=simulated(faces=self.data.simulated, raters=raters),
            lead="" if self.first is None else first_face(self.first, "contrast"),
            results=self.headline,
            foot="Made by emorank.",
        )


@pytest.fixture(scope="session")
def face():
    """An image, a relevance map and its ranks row."""
    rng = np.random.default_rng(4)
    image = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    relevance = (rng.standard_normal((3, 32, 32)) ** 3).astype(np.float32)
    low, high = relevance.min(), relevance.max()
    counts = np.histogram((relevance - low) / (high - low), 10, (0, 1))[0]
    about = {
        "emotion": "Happy",
        "probability": 0.9,
        "rank": "Average",
        "counts": counts,
        "zero": float(-low / (high - low)),
    }
    return image, relevance, about


@pytest.fixture(scope="session")
def read_face(face):
    """The same face, ranked by the contrast, as `emorank.read` gives it."""
    image, relevance, _ = face
    row = {
        "image": "p0/face.png", "face": 1, "predicted": "happy", "p_happy": 0.9, "p_neutral": 0.05,
        "expressed": "happy", "expressed_p": 0.9, "rank": "Strong", "abstained": False,
        "score": 4.5, "log_odds": 4.2,
    }  # fmt: skip
    return RankedFace(image, row, heatmap=relevance, frame=1.0)


@pytest.fixture(scope="session")
def contents(face, read_face):
    """Everything on the page, from simulated answers of twelve images."""
    rng = np.random.default_rng(8)
    images = [f"p{i % 4}/{i}.png" for i in range(12)]
    true = np.array(EMOTIONS)[np.arange(12) % 3]
    ranks_given = np.array(RANKS)[rng.integers(0, 3, 12)]
    votes = pd.DataFrame(
        [(i, f"r{j}", RANKS[rng.integers(0, 3)]) for i in images for j in range(3)],
        columns=["image", "rater", "rank"],
    )
    predictions = pd.DataFrame(
        {"image": images, "emotion": true, "predicted": true, "part": "test"}
    )
    persons = {image: image[:2] for image in images}
    emotions = classification(
        true, true, EMOTIONS, rng=rng, persons=list(persons.values()), resamples=50
    )
    validated = validation(
        pd.DataFrame({"image": images, "rank": ranks_given}),
        majority(votes),
        predictions,
        rng=rng,
        persons=persons,
        resamples=50,
    )
    better = validation(
        pd.DataFrame({"image": images, "rank": RANKS * 4}),
        majority(votes), predictions, rng=rng, persons=persons, resamples=50,
    )  # fmt: skip
    strength, scored = rng.random(12), true != "neutral"
    options = Options(resamples=50)
    follows = {
        name: correlations(score, strength, np.where(scored, true, None), None, options)
        for name, score in (("contrast", strength + 1), ("paper", rng.random(12)))
    }
    about_faces = pd.DataFrame(
        {"image": images, "person": [*persons.values()], "emotion": true, "intensity": strength}
    )
    rater = one_rater(votes, about_faces, options)
    compared = RanksCompared("contrast", "known intensity", follows, better, rater)
    image, relevance, about = face
    figure = style.jpeg(figures.explanation(image, relevance, **about))
    epochs = np.arange(1, 5)
    return Small(
        title="A small study",
        data=FacesSummary(
            "toy", "A toy", "CC0", "Nobody 2026", "https://example.org/toy", 12, 4,
            pd.DataFrame({"train": [5, 6], "test": [4, 8]}, index=["Anger", "Happy"]),
        ),
        emotions=emotions,
        validation=validated,
        votes=VotesSummary(3, len(votes), "ordinal median", 2, sheet(votes)),
        leakage=Leakage(12, 11, 0, 0, None, 36, ()),
        plan={"model": {"network": "VGG-16", "rates": [0.1, 0.25]}, "seed": 3},
        training=pd.DataFrame(
            {
                "epoch": epochs,
                "train_loss": [2.0, 1.0, 0.5, 0.2],
                "train_accuracy": [0.2, 0.5, 0.7, 0.9],
                "validation_loss": [2.0, 1.2, 1.1, 1.3],
                "validation_accuracy": [0.2, 0.4, 0.6, 0.6],
            }
        ),
        examples=tuple(
            Example(
                f"{r}.png", "happy", r, "4.50", 0.9, heatmaps.jpeg(image),
                heatmaps.jpeg(heatmaps.summed_overlay(image, relevance)),
            )
            for r in RANKS
        ),
        counts=pd.DataFrame({"Minimal": [1], "Average": [2], "Strong": [3]}, index=["Happy"]),
        compared=compared,
        levels=pd.DataFrame({"truth": strength, "contrast": RANKS * 4, "paper": ranks_given}),
        ruled=(RuledFace("Strong.png", "Happy", "Average", figure),),
        first=read_face,
        excluded=pd.DataFrame({"file": ["broken.png"], "reason": ["truncated"]}),
        hashes={"split.parquet": "ab" * 32},
        headline=headline(emotions, compared, validated, unseen_persons=True),
    )  # fmt: skip


@pytest.fixture(scope="session")
def rendered(contents):
    """The page of the small study."""
    return render(contents.page())
