"""Draw the contact sheet: `python sample/contact_sheet.py FOLDER OUT.jpg`.

On the left every person, neutral and at the peak of each emotion; on the right one sequence per
emotion, each of another person, with the known intensity below every image.
"""

import csv
import sys
from collections import defaultdict
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

SMALL, LARGE, MARGIN, TITLE = 104, 200, 14, 26
EMOTIONS = ("neutral", "anger", "disgust", "fear", "happy", "sadness", "surprise")
INK, PAPER = (30, 30, 34), (252, 252, 250)


def main(folder: Path, out: Path) -> None:
    """Read `faces.csv` and the images in `folder`, write one JPEG."""
    sequences: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    with (folder / "faces.csv").open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            sequences[row["person"], row["emotion"]].append(row)
    for rows in sequences.values():
        rows.sort(key=lambda row: int(row["frame"]))
    persons = sorted({person for person, _ in sequences})

    left = 2 * MARGIN + 34 + SMALL * len(EMOTIONS)
    columns = max(len(rows) for rows in sequences.values()) + 1
    width = left + 70 + LARGE * columns + MARGIN
    height = max(
        2 * MARGIN + TITLE + SMALL * len(persons), 2 * MARGIN + TITLE + 6 * (LARGE + TITLE) + 60
    )
    sheet = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(15)

    for column, emotion in enumerate(EMOTIONS):
        draw.text((MARGIN + 38 + column * SMALL, MARGIN), emotion, INK, font)
        for line, person in enumerate(persons):
            row = sequences[person, emotion][-1]
            place = (MARGIN + 34 + column * SMALL, MARGIN + TITLE + line * SMALL)
            _paste(sheet, folder / row["image"], place, SMALL - 2)
    for line, person in enumerate(persons):
        draw.text((MARGIN, MARGIN + TITLE + line * SMALL + 42), person, INK, font)

    draw.text((left, MARGIN), "from neutral to peak, with the known intensity", INK, font)
    for line, emotion in enumerate(EMOTIONS[1:]):
        person = persons[(5 * line + 1) % len(persons)]
        top = MARGIN + TITLE + line * (LARGE + TITLE)
        draw.text((left, top + 80), f"{emotion}\n{person}", INK, font)
        rows = [sequences[person, "neutral"][0], *sequences[person, emotion]]
        for column, row in enumerate(rows):
            place = (left + 70 + column * LARGE, top)
            _paste(sheet, folder / row["image"], place, LARGE - 2)
            text = f"{float(row['intensity']):.2f}"
            draw.text((place[0] + 84, top + LARGE - 1), text, INK, font)
    note = (
        "Rendered with anny from MakeHuman's meshes. Nobody shown here exists.\n"
        "Left: neutral, and the last frame of each person's six sequences."
    )
    draw.text((left, height - MARGIN - 44), note, INK, font)
    out.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(out, quality=86)


def _paste(sheet: Image.Image, file: Path, place: tuple[int, int], size: int) -> None:
    with Image.open(file) as image:
        sheet.paste(image.resize((size, size), Image.Resampling.LANCZOS), place)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python sample/contact_sheet.py FOLDER OUT.jpg")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
