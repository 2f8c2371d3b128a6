"""Stage 1: look at every image once, frame the face, split by person, count the leakage."""

import json
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import xxhash

from emorank import images
from emorank.ahead import in_order
from emorank.datasets.leakage import leakage
from emorank.datasets.phash import phash
from emorank.datasets.splits import PARTS, split
from emorank.datasets.table import Dataset
from emorank.errors import DatasetError, ImageError, of_one_image
from emorank.files import naming, replacing
from emorank.framing import BOX, faces_in, framed
from emorank.progress import Progress, silent
from emorank.study.folder import IMAGES, Study
from emorank.study.framed_faces import framing, open_dataset
from emorank.study.inventory import inventory
from emorank.study.other_network import leakage_from_source

JOURNAL = "prepare.partial.jsonl"


def prepare(study: Study, progress: Progress = silent) -> str:
    """Write faces, exclusions and split; returns a line that says what came out.

    Raises:
        DatasetError: the folder is not the data set, or too little is left to split.
        ImageError: an image cannot be used and the plan is strict.
    """
    dataset = open_dataset(study)
    study.write_table(IMAGES, inventory(dataset))  # before any is read: later changes are noticed
    table, excluded = _select(dataset, study.plan.data.emotions)
    entries = _examine(study, dataset, table, progress)
    excluded += [{"file": e["image"], "reason": e["reason"]} for e in entries if "reason" in e]
    study.write_table(
        "excluded", pd.DataFrame(excluded, columns=["file", "reason"], dtype="string")
    )
    usable = pd.DataFrame([entry for entry in entries if "reason" not in entry])
    if usable.empty:
        raise DatasetError(
            f"{dataset.root}: none of {len(table)} images can be used; the first reason: "
            f"{excluded[0]['file']}: {excluded[0]['reason']}"
        )
    prepared = table.merge(usable, on="image", validate="one_to_one")
    parts = _parts(study, prepared, dataset)
    study.write_table("faces", prepared)
    study.write_table("split", parts)
    elsewhere = bool(study.plan.network)
    common = leakage_from_source(study, prepared, parts) if elsewhere else leakage(prepared, parts)
    study.write_metrics("leakage", common)
    counts = parts["part"].value_counts()
    return (
        f"{len(prepared)} faces of {prepared['emotion'].nunique()} emotions, "
        f"{len(excluded)} exclusions; "
        + ", ".join(f"{part} {counts[part]}" for part in PARTS if part in counts)
    )


def _parts(study: Study, table: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """`image` and `part`; every face is tested where the network is another study's."""
    if study.plan.network:
        return pd.DataFrame({"image": table["image"], "part": "test"}, dtype="string")
    classes = sorted(table["emotion"].unique())
    if len(classes) < 2:
        raise DatasetError(
            f"{dataset.root}: expected at least two expressed emotions to tell apart, got only "
            f"{', '.join(classes)}"
        )
    plan = study.plan.split
    return split(table, by=plan.by, test=plan.test, validation=plan.validation, seed=plan.seed)


def _select(dataset: Dataset, emotions: list[str]) -> tuple[pd.DataFrame, list[dict[str, str]]]:
    """The images to prepare, and a row for each exclusion by the data set or the plan.

    Raises:
        DatasetError: nothing is left.
    """
    excluded = [{"file": p.file, "reason": p.reason} for p in dataset.problems]
    table = dataset.table
    unlabelled = table["image"][table["emotion"].isna()]
    excluded += [{"file": file, "reason": "no emotion is given"} for file in unlabelled]
    table = table[table["emotion"].notna()]
    if emotions:
        wanted = table["emotion"].isin(emotions)
        for emotion, count in table.loc[~wanted, "emotion"].value_counts().items():
            reason = f"the plan does not ask for the emotion {emotion}"
            excluded.append({"file": f"({count:,} images)", "reason": reason})
        table = table[wanted]
    if table.empty:
        raise DatasetError(
            f"{dataset.root}: no image of an expressed emotion that the plan asks for "
            f"({', '.join(emotions) or 'any'})"
        )
    return table.reset_index(drop=True), excluded


def _examine(
    study: Study, dataset: Dataset, table: pd.DataFrame, progress: Progress
) -> list[dict[str, Any]]:
    """One entry per image; images that an interrupted run did are read from the journal."""
    crop = framing(study, dataset)
    journal = study.path(JOURNAL)
    entries = _read_journal(journal)
    done = {entry["image"] for entry in entries}
    lacking = [image for image in table["image"] if image not in done]
    new = in_order(partial(_entry, dataset, crop, study), lacking, dataset.is_small)
    note = "images" if crop == "none" else "images and faces"
    with naming(journal), journal.open("a", encoding="utf-8") as out, closing(new):
        for entry in new:
            progress(len(entries), len(table), note)
            line = json.dumps(entry)
            out.write(f"{line}\t{_checksum(line)}\n")
            out.flush()
            entries.append(entry)
    progress(len(table), len(table), "images")
    return entries


def _entry(dataset: Dataset, crop: str, study: Study, image: str) -> dict[str, Any]:
    size, frame = study.plan.data.size, study.plan.data.width
    try:
        with of_one_image(image):
            rgb = dataset.read(image)
            about: dict[str, Any] = {"width": rgb.shape[1], "height": rgb.shape[0]}
            landmarks = None
            if crop == "face":
                (face,) = faces_in(rgb, image, nearest=True)
                landmarks = [round(float(v), 2) for v in face.landmarks.ravel()]
                box = [round(float(v), 2) for v in face.box]
                about |= dict(zip(BOX, box, strict=True)) | {"landmarks": landmarks}
            pixels = framed(rgb, landmarks, size, frame)
    except ImageError as error:
        if study.plan.data.strict:
            raise
        return {"image": image, "reason": error.reason}
    return {"image": image} | about | {"digest": images.digest(pixels), "phash": phash(pixels)}


def _read_journal(journal: Path) -> list[dict[str, Any]]:
    """The journal's entries; lines that a kill or a disk spoilt are removed from it."""
    if not journal.exists():
        return []
    lines = journal.read_bytes().decode(errors="replace").split("\n")[:-1]
    parts = [(line, *line.partition("\t")) for line in lines]
    whole = [(line, text) for line, text, _, checksum in parts if checksum == _checksum(text)]
    with replacing(journal) as partial:
        partial.write_text("".join(f"{line}\n" for line, _ in whole), encoding="utf-8")
    return [json.loads(text) for _, text in whole]


def _checksum(text: str) -> str:
    return xxhash.xxh3_64_hexdigest(text.encode())
