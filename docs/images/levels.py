"""Draws levels.jpg: a face from neutral to its smile, and the levels that it passes.

python docs/images/levels.py london_faces/neutral/002.jpg london_faces/happiness/002.jpg
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
from PIL import Image

import emorank
from emorank.heatmaps import overlay, scale
from emorank.report.style import jpeg

SHARES = (0, 0.25, 0.5, 0.75, 1)

pictures = [emorank.read_image(name) for name in sys.argv[1:3]]
neutral, smile = (
    Image.fromarray(emorank.crop_face(rgb, emorank.find_faces(rgb)[0].landmarks, size=224))
    for rgb in pictures
)
blends = [Image.blend(neutral, smile, share) for share in SHARES]
faces = [face for blend in blends for face in emorank.read(blend, emotion="happy", crop="none")]
maps = [face.heatmap.sum(axis=0) for face in faces]
full = max(scale(plane).full for plane in maps)
figure, axes = plt.subplots(2, len(SHARES), figsize=(9, 4.5), layout="constrained")
for column, (share, face, plane) in enumerate(zip(SHARES, faces, maps, strict=True)):
    above, below = axes[:, column]
    above.imshow(face.pixels)
    below.imshow(overlay(face.pixels, plane, full))
    above.set_title(f"{share:.0%} of the smile", fontsize=10)
    words = f"{face.row['rank']}\nlog-odds {face.row['log_odds']:.1f}".replace("-", "−")
    below.set_xlabel(words.replace("log−odds", "log-odds"), fontsize=11)
    for one in (above, below):
        one.set_xticks([])
        one.set_yticks([])
        for side in one.spines.values():
            side.set_visible(False)
Path(__file__).with_name("levels.jpg").write_bytes(jpeg(figure))
