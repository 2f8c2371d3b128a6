"""Which pixels made the model say so: layer-wise relevance propagation (LRP).

`relevance(net, images)` explains one batch, `prepare(net)` makes a net ready for many;
`PRESETS` holds the composites by name, `RULES` the rules. Formulas and sources: docs/relevance.md.
"""

from emorank.relevance.graph import read
from emorank.relevance.preparation import prepare, relevance
from emorank.relevance.presets import DEFAULT, PRESETS, Preset, changed, preset
from emorank.relevance.propagate import Explainer
from emorank.relevance.record import Relevance
from emorank.relevance.rules import RULES, rule
from emorank.relevance.targets import Difference, Logit, Probability

__all__ = [
    "DEFAULT",
    "PRESETS",
    "RULES",
    "Difference",
    "Explainer",
    "Logit",
    "Preset",
    "Probability",
    "Relevance",
    "changed",
    "prepare",
    "preset",
    "read",
    "relevance",
    "rule",
]
