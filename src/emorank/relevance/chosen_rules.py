"""The rule that a preset has for each layer with weights."""

from bisect import bisect_left

from torch import nn

from emorank.errors import RelevanceError
from emorank.relevance.forwards.graph import IMAGES, Node
from emorank.relevance.layers import COPYING, ENLARGING, PADDING, WEIGHTED, Affine, View
from emorank.relevance.presets import Preset
from emorank.relevance.rules import Rule
from emorank.relevance.same_borders import SamePad


def before(nodes: tuple[Node, ...], node: Node) -> list[nn.Module] | None:
    """What is between the pixels and a layer, if that only normalises, cuts out or pads them."""
    found: list[nn.Module] = []
    position = node.inputs[0]
    while position != IMAGES:
        layer = nodes[position - 1].layer
        if not isinstance(layer, (Affine, View, SamePad, *PADDING, *COPYING, *ENLARGING)):
            return None
        if len(nodes[position - 1].inputs) > 1:  # its size is that of another map
            return None
        found.insert(0, layer)
        position = nodes[position - 1].inputs[0]
    return found


def rules_of(nodes: tuple[Node, ...], preset: Preset) -> dict[int, Rule]:
    """The rule of each layer with weights, by its place among the nodes.

    A batch norm that became a convolution has the rule of the convolution behind it, but never
    that of the first one, which is for pixels.

    Raises:
        RelevanceError: a key of the preset fits no layer, so that it was meant for another net.
    """
    weighted = {k: node for k, node in enumerate(nodes) if type(node.layer) in WEIGHTED}
    convolutions = [
        k for k, node in weighted.items() if isinstance(node.layer, nn.Conv2d) and node.counts
    ]
    rules: dict[int, Rule] = {}
    used: set[str] = set()
    for k, node in weighted.items():
        depth = bisect_left(convolutions, k) if isinstance(node.layer, nn.Conv2d) else None
        if depth == 0 and not node.counts:
            depth = 1
        if depth and before(nodes, node) is not None:
            depth = 0  # a branch of its own begins here
        rules[k], key = preset.rule_for(node.name, depth, len(convolutions))
        used.add(key)
    unused = [key for key in preset.names if key not in used]
    if unused:
        raise RelevanceError(
            f"the preset has a rule for {', '.join(map(repr, unused))}, which fits no layer with "
            f"weights (or only layers that an earlier key fits); there are "
            f"{', '.join(node.name for node in weighted.values())}"
        )
    return rules
