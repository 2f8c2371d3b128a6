"""Ten thousand hostile pictures through `emorank rank` and `emorank data inspect`.

Every format that is read and some that are not, all EXIF orientations and modes, animations; cut
off, with flipped bytes, with lies in the header, empty, texts, pages; strips and pictures of up to
80 MP; links that lead out, in circles and nowhere; names that no program likes. All from a seed.

Each verb goes through them in a process of its own: `rank` by a tiny untrained network, whole
pictures, and another thousand with the search for faces, which takes most of the time. The script
ends with an error if one crashes, if a picture takes more than five seconds (of the processor: the
machine may be busy; a verb that waits is ended in time), if one takes more than 600 MB (from its
file to the framed faces: VmHWM less what was resident just before; what the network needs for a
batch is not the picture's), or if a file is missing: each has to be a row or named as left out.

    python -m benchmarks.hostile_images --count 10000 --seed 0
"""

import argparse
import io
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from PIL import Image

from benchmarks.timing import table

PEAK, HANG = 600, 5.0  # MB, seconds
_WARM = 40  # small pictures, some batches of the network
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "PPM", "ICO", "JPEG2000", "TGA")
MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F", "LAB", "YCbCr")
ENDINGS = {
    "JPEG": (".jpg", ".jfif", ".JPE", ""),
    "JPEG2000": (".jp2",),
    "WEBP": (".webp", ".jpg_large"),
}
NAMES = (
    "a\n{}",
    "b\x1b[2J{}",
    "c\u202e{}",
    "=d{}",
    "[bold]e{}",
    "ü{}",
    "f {}  ",
    "%2e{}",
    "g\udcff{}",
)

# A tiny network: what it names is of no interest here.
STUDY = """
import sys
from pathlib import Path
from emorank.networks import checkpoint, training, weights
from emorank.networks.training import Recipe
from emorank.study.folder import create_study
from emorank.study.plan import Plan
from emorank.vocabulary import Emotion
study = create_study(Path(sys.argv[1]), Plan())
net = training.fresh(7, weights.load(), Recipe(hidden=16)).eval()
checkpoint.save(
    checkpoint.Checkpoint(net, tuple(Emotion)[:7], 64, "none"), study.path("model.safetensors")
)
"""

# The verb itself, watched: how long each picture takes, and how far the memory grows above what
# the program has when it has done the same with some small pictures.
WATCHED = """
import json, sys, time
from pathlib import Path
from emorank import framing, images
from emorank.cli import emorank, main
from emorank.datasets import inspect
log, warm, words = (json.loads(word) for word in sys.argv[1:])
def bytes_of(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(field))
emorank(warm, standalone_mode=False)
said = {"slowest": 0.0, "peak": 0.0}
def watched(function, place):
    def call(*args):
        start, before = time.process_time(), bytes_of("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # VmHWM starts from here
        try:
            return function(*args)
        finally:
            took = time.process_time() - start
            said["peak"] = max(said["peak"], (bytes_of("VmHWM") - before) / 1e6)
            if took > said["slowest"]:
                said.update(slowest=took, which=ascii(str(args[place])))
    return call
views = framing.Views._of
framing.Views._of = watched(lambda *args: iter(list(views(*args))), 1)
images.check, images.size = watched(images.check, 0), watched(images.size, 0)
look = inspect.inspect
def told(data):
    found = look(data)
    said.update(used=found.images - found.unreadable, left=[p.file for p in found.problems])
    return found
inspect.inspect = told
base, begun = bytes_of("VmRSS"), time.perf_counter()
sys.argv[1:] = words
try:
    main()
finally:
    grown = (bytes_of("VmRSS") - base) / 1e6
    said.update(grown=grown, seconds=time.perf_counter() - begun)
    Path(log).write_text(json.dumps(said))
"""


def main(arguments: Sequence[str] = ()) -> str:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--faces", type=int, default=1000, help="so many also with --crop face")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "warm" / "happy").mkdir(parents=True)
        for number in range(_WARM):
            Image.new("RGB", (64, 64), "teal").save(place / f"warm/happy/small{number}.png")
        subprocess.run([sys.executable, "-c", STUDY, str(place / "study")], check=True)
        every, some = place / "every", place / "some"
        kinds = write_corpus(every / "happy", given.count, np.random.default_rng(given.seed))
        write_corpus(some / "happy", given.faces, np.random.default_rng(given.seed + 1))
        rows = [
            _inspected(every, given.count),
            _ranked(every, given.count, "none"),
            _ranked(some, given.faces, "face"),
        ]
    heading = ["verb", "files", "used", "left out", "peak, MB", "slowest, s", "all, s"]
    return f"{table(heading, rows)}\n\n{', '.join(f'{n} {kind}' for kind, n in kinds.items())}"


def write_corpus(folder: Path, count: int, random: np.random.Generator) -> Counter[str]:
    """Files of any kind, and how many there are of each."""
    folder.mkdir(parents=True)
    outside = folder.parent.parent / "warm" / "happy" / "small0.png"
    kinds: Counter[str] = Counter()
    makers = list(_MAKERS)
    chances = np.array([_MAKERS[maker] for maker in makers], float)
    for number in range(count):
        maker = makers[random.choice(len(makers), p=chances / chances.sum())]
        kinds[maker.__name__.strip("_").replace("_", " ")] += 1
        name, content = maker(number, random)
        path = folder / name
        if isinstance(content, Path):
            path.symlink_to(outside if content.name == "outside" else content)
        else:
            path.write_bytes(content)
    return kinds


def _picture(number: int, random: np.random.Generator, side: int = 300) -> tuple[str, bytes]:
    """A picture that can be read, of any format, mode and orientation, or a format that is not."""
    width, height = (int(n) for n in random.integers(16, side, 2))
    while True:
        kind, mode = str(random.choice(FORMATS)), str(random.choice(MODES))
        image = _drawn(width, height, mode, random)
        options: dict[str, object] = {}
        if kind in ("JPEG", "PNG", "TIFF", "WEBP", "AVIF"):
            exif = Image.Exif()
            exif[0x0112] = int(random.integers(0, 10))
            options["exif"] = exif
        if kind == "JPEG" and random.random() < 0.3:
            options["progressive"] = True
        if kind == "AVIF":
            options["speed"] = 10
        if kind in ("GIF", "PNG", "TIFF", "WEBP") and random.random() < 0.2:
            options |= {"save_all": True, "append_images": [image.copy(), image.copy()]}
        if mode == "P" and kind in ("PNG", "GIF") and random.random() < 0.5:
            options["transparency"] = 3
        stream = io.BytesIO()
        try:
            image.save(stream, kind, **options)
        except (OSError, ValueError, KeyError):
            continue  # this format has no such mode
        endings = ENDINGS.get(kind, (f".{kind.lower()}",))
        return f"{number:05d}{random.choice(endings)}", stream.getvalue()


def _drawn(width: int, height: int, mode: str, random: np.random.Generator) -> Image.Image:
    noise = random.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), np.uint8)
    image = Image.fromarray(noise).resize((width, height))
    if mode == "P":
        return image.quantize(32)
    if mode in ("LA", "RGBA"):
        image = image.convert(mode)
        image.putalpha(Image.fromarray(noise[:, :, 0]).resize((width, height)))
        return image
    if mode == "I;16":
        return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    if mode == "F":
        return image.convert("L").convert("F")
    return Image.merge("LAB", image.split()) if mode == "LAB" else image.convert(mode)


def _cut_off(number: int, random: np.random.Generator) -> tuple[str, bytes]:
    name, data = _picture(number, random)
    return name, data[: int(len(data) * random.random())]


def _flipped_bytes(number: int, random: np.random.Generator) -> tuple[str, bytes]:
    name, data = _picture(number, random)
    changed = bytearray(data)
    for _ in range(int(random.integers(1, 30))):
        at = int(random.random() ** 2 * len(changed))  # headers most of all
        changed[at] ^= int(random.integers(1, 256))
    return name, bytes(changed)


def _bomb(number: int, random: np.random.Generator) -> tuple[str, bytes]:
    """A PNG that promises up to billions of pixels."""
    width, height = (int(2 ** random.uniform(10, 31)) for _ in range(2))
    header = struct.pack(">IIBBBBB", width, height, 8, int(random.choice([0, 2, 6])), 0, 0, 0)
    body = zlib.compress(bytes(100_000))
    chunks = b"".join(
        struct.pack(">I", len(part)) + kind + part + struct.pack(">I", zlib.crc32(kind + part))
        for kind, part in ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    )
    return f"{number:05d}.png", b"\x89PNG\r\n\x1a\n" + chunks


def _strip(number: int, random: np.random.Generator) -> tuple[str, bytes]:
    long, short = int(random.integers(5_000, 65_000)), int(random.integers(1, 40))
    size = (long, short) if random.random() < 0.5 else (short, long)
    stream = io.BytesIO()
    Image.new("RGB", size, "teal").save(stream, str(random.choice(["PNG", "JPEG", "TIFF"])))
    return f"{number:05d}.png", stream.getvalue()


def _huge(number: int, random: np.random.Generator) -> tuple[str, bytes]:
    """Up to 80 MP, in a few modes: the dearest pictures that may be read, and some dearer ones."""
    megapixels = random.uniform(20, 82)
    width = int(random.uniform(3_000, 20_000))
    size = (width, int(megapixels * 1e6 / width))
    kind, mode, options = [
        ("PNG", "RGBA", {"compress_level": 1}), ("PNG", "L", {"compress_level": 1}),
        ("JPEG", "RGB", {}), ("JPEG", "CMYK", {"progressive": True}),
        ("WEBP", "RGB", {"method": 0}),
        ("TIFF", "RGB", {"compression": "tiff_lzw", "tiffinfo": {278: size[1]}}),
    ][int(random.integers(6))]  # fmt: skip
    stream = io.BytesIO()
    try:
        Image.new(mode, size, "teal").save(stream, kind, **options)
    except (OSError, ValueError):
        return f"{number:05d}.txt", b"too large for the format"
    return f"{number:05d}.{kind.lower()}", stream.getvalue()


def _no_picture(number: int, random: np.random.Generator) -> tuple[str, bytes]:
    content = [b"", b"words\n", b"<!DOCTYPE html><p>Not found", b"%PDF-1.7", b"PK\3\4", bytes(99),
               b"GIF89a", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", random.bytes(500),
               b"\0\0\0\x18ftypheic" + bytes(80), b"MZ" + bytes(60)]  # fmt: skip
    ending = random.choice([".jpg", ".png", ".txt", ".gif", ".tif", ""])
    return f"{number:05d}{ending}", content[int(random.integers(len(content)))]


def _heic(number: int, random: np.random.Generator) -> tuple[str, bytes]:
    data = bytearray((Path(__file__).parents[1] / "tests" / "grey.heic").read_bytes())
    if random.random() < 0.5:
        data[int(random.integers(len(data)))] ^= 255
    return f"{number:05d}{random.choice(['.heic', '.jpg', '.HEIF'])}", bytes(data)


def _odd_name(number: int, random: np.random.Generator) -> tuple[str, bytes]:
    name, data = _picture(number, random)
    odd = NAMES[int(random.integers(len(NAMES)))].format(number)
    return odd + Path(name).suffix, data


def _link(number: int, random: np.random.Generator) -> tuple[str, Path]:
    target = ["outside", "nowhere.png", f"{number:05d}.png", "..", "/dev/zero"][random.integers(5)]
    return f"{number:05d}.png", Path(target)


_MAKERS: dict[Callable[[int, np.random.Generator], tuple[str, bytes | Path]], float] = {
    _picture: 45, _cut_off: 14, _flipped_bytes: 18, _no_picture: 8, _bomb: 4, _strip: 4,
    _odd_name: 4, _link: 2, _heic: 0.6, _huge: 1,
}  # fmt: skip


def _inspected(folder: Path, count: int) -> list[object]:
    words = ["data", "inspect", str(folder)]
    said, _ = _watch(folder, words, ["data", "inspect", str(folder.parent / "warm")])
    return _checked("data inspect", count, said["used"], said["left"], said)


def _ranked(folder: Path, count: int, crop: str) -> list[object]:
    out, warm = folder.parent / f"{crop}.parquet", folder.parent / "warm"
    study = ["--study", str(folder.parent / "study"), "--rank", "paper"]  # it was never trained
    words = ["rank", str(folder), *study, "--crop", crop, "--out", str(out)]
    said, errors = _watch(folder, words, ["rank", str(warm), *study, "--crop", "none"])
    left = re.findall(r"^left out: (.*)$", errors, re.MULTILINE)
    used = pq.read_table(out, columns=["image"])["image"].unique() if out.exists() else ()
    return _checked(f"rank --crop {crop}", count, len(used), left, said)


def _watch(folder: Path, words: list[str], warm: list[str]) -> tuple[dict[str, Any], str]:
    """Run a verb in a process of its own; what was measured, and what it printed on stderr."""
    log = folder.parent / "log.json"
    order = [json.dumps(word) for word in (str(log), warm, words)]
    limit = 120 + HANG * len(list((folder / "happy").iterdir()))
    command = [sys.executable, "-c", WATCHED, *order]
    alone = os.environ | {"OMP_NUM_THREADS": "1"}  # one picture at a time, to measure each
    done = subprocess.run(command, capture_output=True, check=False, timeout=limit, env=alone)
    errors = done.stderr.decode()
    if done.returncode not in (0, 1) or "Traceback" in errors:
        raise SystemExit(f"{words[0]} crashed: {errors[-3000:]}")
    return json.loads(log.read_text()), errors


def _checked(
    verb: str, count: int, used: int, left: Sequence[str], said: dict[str, Any]
) -> list[object]:
    """A row of the table; ends the script if something is not as it has to be."""
    groups = (re.search(r"\(([\d,]+) (?:files|images)\)", name) for name in left)
    out = sum(int(group[1].replace(",", "")) if group else 1 for group in groups)
    row = [verb, count, used, out, *(f"{said[key]:.1f}" for key in ("peak", "slowest", "seconds"))]
    print(*row, said.get("which"), f"grown {said['grown']:.0f}", file=sys.stderr)
    if used + out != count:
        raise SystemExit(f"{verb}: {count} files, {used} used, {out} left out: some are missing")
    if said["peak"] > PEAK or said["slowest"] > HANG:
        raise SystemExit(f"{verb}: took {said['peak']:.0f} MB, {said['slowest']:.1f} s ({said})")
    return row


if __name__ == "__main__":
    print(main(sys.argv[1:]))
