"""The network that a server has, in words and numbers."""

from functools import lru_cache

from emorank.networks.ready import READY
from emorank.reading.ranks import SCORES
from emorank.reading.ready import NAME
from emorank.relevance import PRESETS
from emorank.study.readers import ranks_at_hand
from emorank.web.desk import Desk
from emorank.web.service.answers import NOT_FOR, Network, Networks


def name_of(desk: Desk) -> str:
    """What the network is called: the folder of its study, or its name in the package."""
    return NAME if desk.study is None else desk.study.folder.name


@lru_cache(1)
def networks(desk: Desk) -> Networks:
    """What there is to ask; the first call of a study may load what a rank has learnt."""
    network = desk.network
    ranks = [*ranks_at_hand(desk.study, network), *SCORES]
    ready = READY[NAME] if desk.study is None else None
    own = isinstance(network.heatmap, str)
    return Networks(
        networks=[
            Network(
                name=name_of(desk),
                classes=[str(one) for one in network.classes],
                size=network.size,
                crop=network.crop,
                ranks=ranks,
                presets=list(PRESETS),
                heatmap=str(network.heatmap) if own else "own rules of the study",
                device=str(network.device),
                licence=None if ready is None else ready.licence,
                measured=None if ready is None else ready.measured,
            )
        ],
        not_for=NOT_FOR,
    )
