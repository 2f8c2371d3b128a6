"""Draws paper_intervals.jpg: two rows of what `emorank paper` draws for figures 10 to 12.

emorank run --network ready --set data.dataset=sample --set validate.votes=sample --out tested
emorank paper tested
python docs/images/paper_intervals.py tested/paper/figure_10-12.png
"""

import sys
from pathlib import Path

from PIL import Image

ROWS = (3, 4)  # of six: a face that the rule calls Strong, and one that it calls Minimal

with Image.open(sys.argv[1]) as figure:
    height = figure.height / 6
    rows = figure.crop((0, round(ROWS[0] * height), figure.width, round((ROWS[-1] + 1) * height)))
    small = rows.convert("RGB").resize((1200, round(1200 * rows.height / rows.width)))
small.save(Path(__file__).with_name("paper_intervals.jpg"), quality=85)
