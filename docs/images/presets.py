r"""Draws docs/images/presets.jpg: one face under every preset.

    emorank run folder --data london_faces --out london \
        --set train.backbone=vgg16 --set train.unfreeze=block5 --set train.epochs=12
    python docs/images/presets.py london/model.safetensors london_faces/happiness/002.jpg

The face has to be of a person whom the study keeps for its test (`predictions.parquet`).
"""

import sys
from pathlib import Path

import emorank
from emorank.relevance import PRESETS
from emorank.report.explained import verdict
from emorank.report.figures import comparison
from emorank.report.style import jpeg

network = emorank.load_network(sys.argv[1])
(face,) = emorank.explain_images(network, [sys.argv[2]], tuple(PRESETS), strict=True)
figure = comparison(face.pixels, face.maps, verdict=verdict(face))
Path(__file__).with_name("presets.jpg").write_bytes(jpeg(figure))
