"""A model card: what a model is, how well it does, for whom, and what it is not for, in Markdown.

Source: Mitchell et al. 2019, Model Cards for Model Reporting, FAT* 2019. The header is the YAML
that the Hugging Face Hub reads.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

import pandas as pd

from emorank.datasets.leakage import Leakage
from emorank.evaluation.classification import Classification
from emorank.evaluation.rank_scores import RankValidation
from emorank.report import words
from emorank.report.headline import verdict
from emorank.report.page import environment
from emorank.report.sections import emotion, groups
from emorank.report.sections.data import FacesSummary
from emorank.report.sections.model import is_logistic
from emorank.report.sections.papers_rule import overall_table
from emorank.results.groups import GroupResults

# What Markdown or HTML would take for more than a letter; a title comes from who made the data.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!])")


@dataclass(frozen=True)
class ModelCard:
    """The contents of a card; a part is None if the study lacks it, and the card says so.

    Attributes:
        version: of emorank.
        plan: settings by table.
        data: the faces; None before they are prepared.
        leakage: of the split: test images, and how many share a person, a sequence or their pixels
            with the training part (None where that is not known).
        weights: SHA-256 of the trained model's file.
        megabytes: that it has.
        epochs: that were trained, and the best validation accuracy.
        raters: how many there were; 0 for none.
        simulated_raters: whether they were simulated.
        audit: how far the ranks can be believed, in the words of the audit; empty without one.
        network: whose network it is, in a sentence, if it was trained in another study.
    """

    title: str
    version: str
    plan: Mapping[str, Mapping[str, Any]]
    data: FacesSummary | None = None
    leakage: Leakage | None = None
    weights: str | None = None
    megabytes: float | None = None
    epochs: tuple[int, float | None] | None = None
    emotions: Classification | None = None
    ranks: RankValidation | None = None
    raters: int = 0
    simulated_raters: bool = False
    audit: str = ""
    groups: GroupResults | None = None
    network: str = ""

    @property
    def fitted(self) -> bool:
        """Whether the classifier was fitted at once, without epochs."""
        return is_logistic(self.plan["train"]) and (self.epochs is None or self.epochs[0] == 1)

    @property
    def architecture(self) -> str:
        """What the network is, in words."""
        train, weights = self.plan["train"], str(self.plan["model"]["weights"])
        backbone, hidden = train.get("backbone", "vgg16"), train["hidden"]
        head = f"a classifier of {hidden} hidden units"
        if backbone == "vgg16":
            name = weights.replace("\\", "/").rsplit("/", 1)[-1]
            return f"VGG-16, convolutions from {name}, {head}"
        if is_logistic(train):
            head = "a logistic regression that starts from the shipped network"
        trained = train.get("unfreeze", "none")
        also = "" if trained == "none" else f", {trained} trained too"
        return f"features of the shipped networks ({backbone}; MIT, CC0){also}, {head}"


def render(card: ModelCard) -> str:
    """The card as one Markdown document with its YAML header."""
    made = environment(html=False)  # Markdown: texts of strangers go through `plain`
    made.filters |= {
        "plain": plain,
        "link": partial(quote, safe=":/?#&=%~+,;@"),
        "pipes": pipes,
        "cell": words.cell,
    }
    attributes = card.groups.attributes if card.groups else ()
    body = made.get_template("templates/model_card.md.j2").render(
        c=card,
        simulated=bool(card.data and card.data.simulated) or card.simulated_raters,
        accuracy=emotion.accuracy_table(card.emotions) if card.emotions else None,
        classes=emotion.class_table(card.emotions) if card.emotions else None,
        verdict=verdict(card.ranks) if card.ranks else "",
        overall=overall_table(card.ranks) if card.ranks else None,
        groups=[(one, groups.columns(one), groups.differences(one)) for one in attributes],
    )
    body = re.sub(r"\n{3,}", "\n\n", body).strip()
    return f"---\n{_header(card)}---\n\n{body}\n"


def plain(text: object) -> str:
    """A text on one line in which nothing is Markdown or HTML."""
    return _SPECIAL.sub(r"\\\1", " ".join(words.text(str(text)).split()))


def pipes(table: pd.DataFrame) -> str:
    """A table in Markdown; floats rounded, missing values a dash."""
    head = "| " + " | ".join(plain(name) for name in table.columns) + " |"
    rows = [
        "| " + " | ".join(plain(words.cell(words.plain(value))) for value in row) + " |"
        for row in table.astype(object).itertuples(index=False, name=None)
    ]
    return "\n".join([head, "|---" * len(table.columns) + "|", *rows])


def _header(card: ModelCard) -> str:
    """YAML; values are written as JSON, which is YAML in which nothing can break out."""
    simulated = card.data is not None and card.data.simulated
    values: dict[str, Any] = {
        "library_name": "emorank",
        "pipeline_tag": "image-classification",
        "license": "other",
        "license_name": "as-the-training-data",
        "tags": [
            "facial-expression-recognition",
            "expression-intensity",
            "explainable-ai",
            "layer-wise-relevance-propagation",
            *(["simulated-data"] if simulated else []),
        ],
    }
    accuracy = card.emotions.accuracy.value if card.emotions else None
    if card.data is not None:
        values["datasets"] = [card.data.name]
    if card.data is not None and accuracy is not None:
        values |= {"metrics": ["accuracy"], "model-index": [_index(card, card.data, accuracy)]}
    return "".join(
        f"{key}: {json.dumps(value, ensure_ascii=True)}\n" for key, value in values.items()
    )


def _index(card: ModelCard, data: FacesSummary, accuracy: float) -> dict[str, Any]:
    return {
        "name": card.title,
        "results": [
            {
                "task": {"type": "image-classification", "name": "expressed emotion"},
                "dataset": {"type": data.name, "name": data.title, "split": "test"},
                "metrics": [{"type": "accuracy", "value": accuracy}],
            }
        ],
    }
