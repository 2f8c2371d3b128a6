"""Which pixels made the model say so: layer-wise relevance propagation (LRP).

`relevance(net, images)` explains one batch, `prepare(net)` makes a net ready for many;
`PRESETS` holds the composites by name, `RULES` the rules. Formulas and sources: docs/relevance.md.
`EXPLAINERS` are those beside LRP, and `explainer(net, method)` makes any of them ready.
`LRP` has captum's words, and `from_zennit` takes composites of zennit.
"""

from emorank.relevance.captum_style import LRP
from emorank.relevance.explainers import EXPLAINERS, Attributor
from emorank.relevance.forwards.graph import read
from emorank.relevance.from_zennit import from_zennit
from emorank.relevance.methods import METHODS, explainer
from emorank.relevance.preparation import prepare, relevance
from emorank.relevance.presets import DEFAULT, HEATMAP, PRESETS, Preset, override_preset, preset
from emorank.relevance.propagate import Explainer
from emorank.relevance.record import Relevance
from emorank.relevance.rules import RULES, rule
from emorank.relevance.targets import Difference, Logit, Probability

__all__ = [
    "DEFAULT",
    "EXPLAINERS",
    "HEATMAP",
    "LRP",
    "METHODS",
    "PRESETS",
    "RULES",
    "Attributor",
    "Difference",
    "Explainer",
    "Logit",
    "Preset",
    "Probability",
    "Relevance",
    "explainer",
    "from_zennit",
    "override_preset",
    "prepare",
    "preset",
    "read",
    "relevance",
    "rule",
]
