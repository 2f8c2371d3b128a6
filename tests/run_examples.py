"""Runs command lines one after the other in this process, and writes the small files they ask for.

    python run_examples.py STEPS.json

Not a test: `test_wheel.py` calls it with the Python of a fresh environment.
"""

import io
import json
import shlex
import shutil
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from zipfile import ZipFile

import av
import pandas as pd
import torch
from PIL import Image

import emorank
from emorank.cli import main
from emorank.datasets import load
from emorank.networks.resnet import resnet
from emorank.networks.vgg import vgg
from small_onnx import ferplus  # beside this file

HOME = Path.home()
KDEF = {"fear": "AF", "happy": "HA", "neutral": "NE", "surprise": "SU"}
JAFFE = KDEF | {"fear": "FE"}
RANKS = ("Minimal", "Average", "Strong")
PROTOCOL = """
order = "mixed"
raters = 4
[languages]
offered = ["en", "de"]
[consent]
contact = "lab@example.org"
[[checks]]
image = "photographs/p01.jpg"
emotion = "happy"
level = "Strong"
[breaks]
every = 50
[[demographics]]
key = "age"
kind = "number"
least = 18
most = 99
"""


def prepare() -> None:
    """Write what the examples suppose in the present folder and at home."""
    assert "site-packages" in emorank.__file__, emorank.__file__
    sample = load(None, "sample")
    peaks = sample.table[sample.table["frame"].isin([2, 4]) & (sample.table["person"] <= "p08")]
    peaks = peaks[peaks["emotion"].isin(list(KDEF))]
    kdef, jaffe, mine = HOME / "KDEF_and_AKDEF/KDEF", HOME / "jaffedbase", Path("my_faces")
    for image, person, emotion, frame in zip(
        peaks["image"], peaks["person"], peaks["emotion"], peaks["frame"], strict=True
    ):
        number = int(person[1:])
        session = f"{'A' if frame == 4 else 'B'}F{number:02}"
        with Image.open(sample.root / image) as picture:
            small = picture.convert("RGB").resize((96, 96))
        for path in (
            *(kdef / session / f"{session}{KDEF[emotion]}{angle}.JPG" for angle in ("S", "HL")),
            jaffe / f"{chr(64 + number)}A.{JAFFE[emotion]}{frame}.{number}.tiff",
            *([mine / emotion / f"{person}.jpg"] if frame == 4 else []),
            *([Path("photographs") / f"{person}.jpg", Path("smiles") / f"{person}.jpg"]
              if (emotion, frame) == ("happy", 4) and number < 3 else []),
            *([Path(f"frames/{frame}.jpg")] if (emotion, number) == ("happy", 1) else []),
        ):  # fmt: skip
            path.parent.mkdir(parents=True, exist_ok=True)
            small.save(path)
    for name in ("holiday", "smile", "cat", "face"):
        shutil.copy("photographs/p01.jpg", f"{name}.jpg")
    with av.open("film.mp4", "w") as film:
        stream = film.add_stream("libx264", rate=25)
        stream.width = stream.height = 224
        for frame in (1, 2, 3, 4):
            with Image.open(sample.root / f"faces/p01_happy_{frame}.jpg") as picture:
                film.mux(stream.encode(av.VideoFrame.from_image(picture)))
        film.mux(stream.encode())
    Path("films").mkdir()
    for number in (1, 2, 3):
        shutil.copy("film.mp4", f"films/{number}.mp4")
    torch.save(resnet(50, 1000).state_dict(), "resnet50.pth")
    shutil.copy("resnet50.pth", "resnet50_v1.pth")
    narrow = vgg(16, False, 1000, 16, 16).state_dict()
    for name in ("vgg16-397923af", "vgg16", "vggface", "fer2013"):
        torch.save(narrow, f"{name}.pth")
    ferplus("ferplus.onnx")
    Path("imagenet.txt").write_text("".join(f"class {number}\n" for number in range(1000)))
    faces = [(str(path), path.parent.name, path.stem) for path in sorted(mine.rglob("*.jpg"))]
    pd.DataFrame(faces, columns=["image", "emotion", "person"]).to_csv("faces.csv", index=False)
    Path("protocol.toml").write_text(PROTOCOL)
    ratings = {f"{n}.jpg": {"happy": [n % 5, 2, 3], "fear": [0, 1, n % 4]} for n in range(12)}
    Path("primary_expression_annotations.json").write_text(json.dumps(ratings))
    persons = pd.DataFrame({"person": sorted(set(peaks["person"]))})
    persons["gender"] = persons["gender_code"] = ["f", "m"] * (len(persons) // 2)
    persons["ethnicity"] = ["a", "a", "b", "b"] * (len(persons) // 4)
    persons["age"] = [20 + 3 * number for number in range(len(persons))]
    persons.to_csv("persons.csv", index=False)


def london(folder: str = "") -> None:
    """Write the files that the tutorial tells to download, as their publishers made them.

    Eight persons. `folder` has their photographs as neutral/001.jpg and happiness/001.jpg; without
    it rendered faces stand in.
    """
    sample = load(None, "sample").table.set_index("image")
    rows = []
    with ZipFile("neutral_front.zip", "w") as neutral, ZipFile("smiling_front.zip", "w") as smiling:
        for number in range(1, 9):
            rendered = sample.index[sample["person"] == f"p{number:02}"]
            for archive, name, emotion, inside in (
                (neutral, "neutral", "neutral", f"neutral_front/{number:03}_03"),
                (smiling, "happiness", "happy", f"smiling_front/{number:03}_08"),
            ):
                one = next(image for image in reversed(rendered) if emotion in image)
                source = Path(folder, name, f"{number:03}.jpg")
                archive.write(
                    source if folder else load(None, "sample").root / one, f"{inside}.jpg"
                )
                archive.writestr(f"{inside}.tem", "1\n12.5\t30.25\n")
            rows.append((f"{number:03}", 20 + number, ("female", "male")[number % 2], "white"))
    columns = ["face_id", "face_age", "face_gender", "face_eth"]
    pd.DataFrame(rows, columns=columns).to_csv("london_faces_info.csv", index=False)


def images_of(study: str) -> list[str]:
    faces = pd.read_parquet(Path(study) / "faces.parquet")
    return list(faces.loc[faces["emotion"] != "neutral", "image"])


def votes(study: str) -> None:
    """Write votes.csv: three raters on the images of a study."""
    rows = [
        (image, f"r{rater}", RANKS[(len(image) + number + rater // 3) % 3])
        for number, image in enumerate(images_of(study))
        for rater in (1, 2, 3)
    ]
    pd.DataFrame(rows, columns=["image", "rater", "rank"]).to_csv("votes.csv", index=False)


def scores(study: str) -> None:
    """Write others.csv: another program's scores of a study's images."""
    names = images_of(study)
    table = {"image": names, "score": [number % 7 / 7 for number in range(len(names))]}
    pd.DataFrame(table).to_csv("others.csv", index=False)


def export(study: str, *words: str) -> None:
    """Write export.json as Label Studio does, for the control `intensity`."""
    tasks = [
        {"id": number, "data": {"image": image}, "annotations": [
            {"completed_by": rater, "result": [{"from_name": "intensity", "to_name": "image",
             "type": "choices", "value": {"choices": [(words or RANKS)[number % 3]]}}]}
            for rater in (1, 2)]}
        for number, image in enumerate(images_of(study))
    ]  # fmt: skip
    Path("export.json").write_text(json.dumps(tasks))


def call(line: str) -> int:
    """Run one line; its exit status."""
    if line.startswith("python\n"):
        exec(line.removeprefix("python\n"), {"__name__": "__main__"})  # noqa: S102 - our own pages
        return 0
    if line.startswith("cp "):
        line = "emorank weights path"
    words = [str(Path(word).expanduser()) if word[0] == "~" else word for word in shlex.split(line)]
    match words[0]:
        case "rm":
            shutil.rmtree(words[2], ignore_errors=True)
        case "votes":
            votes(words[1])
        case "london":
            london(*words[1:])
        case "unzip":
            ZipFile(words[1]).extractall()
        case "mkdir":
            Path(words[1]).mkdir()
        case "mv":
            shutil.move(*words[1:])
        case "scores":
            scores(words[1])
        case "export":
            export(*words[1:])
        case _:
            earlier = [Path("votes.csv")] if "export" in words else []
            for result in (*Path().glob("*.png"), Path("ranks.csv"), *earlier):
                result.unlink(missing_ok=True)
            sys.argv = words
            try:
                main()
            except SystemExit as stop:
                return int(stop.code or 0)
    return 0


def run() -> None:
    """Run all; the failures on standard output, each with what it said."""
    lines = json.loads(Path(sys.argv[1]).read_text())
    prepare()
    failed = 0
    for line in lines:
        begun, said = time.monotonic(), io.StringIO()
        with redirect_stdout(said), redirect_stderr(said):
            try:
                code = call(line)
            except Exception as error:  # reported with the line, and the next one is run
                said.write(f"{type(error).__name__}: {error}")
                code = 1
        sys.stdout.write(f"{time.monotonic() - begun:5.1f} s  {code}  {line}\n")
        if code:
            failed += 1
            sys.stdout.write("\n".join([*said.getvalue().splitlines()[-6:], ""]))
        sys.stdout.flush()
    sys.exit(failed > 0)


if __name__ == "__main__":
    run()
