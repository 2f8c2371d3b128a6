"""The model card of a study: its numbers come from the study's files; what is missing is named."""

from typing import Any

import msgspec

from emorank import __version__
from emorank.files import replacing
from emorank.report.card import ModelCard, render
from emorank.results.audit import Audit
from emorank.results.groups import GroupResults
from emorank.study.described import described
from emorank.study.folder import Study
from emorank.study.other_network import network_sentence

FILE = "MODEL_CARD.md"


def model_card(study: Study) -> str:
    """The card as Markdown; of a study that is not done yet, as far as it is.

    Raises:
        StudyError: a table of the study is damaged.
        DatasetError: its data set is no longer there.
    """
    return render(_card(study))


def write_card(study: Study) -> None:
    """Write the card into the study, whole or not at all."""
    text = model_card(study)
    with replacing(study.path(FILE)) as partial:
        partial.write_text(text, encoding="utf-8")


def _card(study: Study) -> ModelCard:
    plan: dict[str, Any] = msgspec.to_builtins(study.plan)
    metrics = study.measured()
    # A model that was trained again is not the one that was measured.
    tested = study.was_made_of("test", "train")
    emotions, ranks = (metrics.emotion, metrics.rank) if tested else (None, None)
    audit = study.read(Audit)
    parts: dict[str, Any] = {}
    if study.path("split.parquet").exists():
        faces = study.table("faces").merge(study.table("split"), on="image")
        parts |= {"data": described(study, faces), "leakage": metrics.leakage}
    if study.path("model.safetensors").exists():
        size = study.path("model.safetensors").stat().st_size
        parts |= {"weights": study.digest("model.safetensors"), "megabytes": size / 1e6}
    if study.path("training.parquet").exists() and not study.plan.network:
        training = study.table("training")
        best = training["validation_accuracy"].max()
        parts["epochs"] = (len(training), None if best != best else float(best))
    if ranks is not None and study.path("votes.parquet").exists():
        raters = study.table("votes")["rater"]
        simulated = bool(raters.str.startswith("simulated").all())
        parts |= {"raters": raters.nunique(), "simulated_raters": simulated}
    return ModelCard(
        title=plan.pop("title"),
        version=__version__,
        plan=plan,
        emotions=emotions,
        ranks=ranks,
        audit=audit.headline if audit else "",
        groups=study.read(GroupResults),
        network=network_sentence(study),
        **parts,
    )
