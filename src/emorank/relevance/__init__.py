"""Which pixels made the model say so: layer-wise relevance propagation (LRP).

`relevance(net, images)` explains one batch, `prepare(net)` makes a net ready for many;
`PRESETS` holds the composites by name, `rules` the rules. Formulas and sources: docs/relevance.md.
"""

from emorank.relevance.layers import chain
from emorank.relevance.presets import DEFAULT, PRESETS, Preset, preset
from emorank.relevance.propagate import Explainer, Relevance, prepare, relevance

__all__ = [
    "DEFAULT",
    "PRESETS",
    "Explainer",
    "Preset",
    "Relevance",
    "chain",
    "prepare",
    "preset",
    "relevance",
]
