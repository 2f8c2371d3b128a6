"""The relevance maps of a study: by which rules they are made, and the stores that hold them."""

import numpy as np

from emorank.records import RecordStore
from emorank.study.folder import Study
from emorank.study.plan import ExplainPlan


def rules_in_words(explain: ExplainPlan) -> str:
    """A plan's rules in words: "preset epsilon, dense by zero, bias distributed"."""
    words = [f"preset {explain.preset}"]
    words += [f"{key} by {text}" for key, text in explain.rules.items()]
    if explain.bias != "absorbed":
        words.append(f"bias {explain.bias}")
    if explain.max_pooling != "winner":
        words.append(f"max pooling {explain.max_pooling}")
    if explain.products != "signal":
        words.append(f"products {explain.products}")
    return ", ".join(words)


def stores(study: Study, layers: int = 0) -> tuple[RecordStore, RecordStore]:
    """Relevance maps (3, side, side) and relevance sums (layers + 1), by image digest."""
    side, dtype = study.plan.data.size, np.dtype(np.float32)
    again = f"make it again: emorank explain --study {study.folder}"
    return (
        RecordStore(study.path("relevance/maps"), (3, side, side), dtype, again),
        RecordStore(study.path("relevance/sums"), (layers + 1,), dtype, again),
    )
