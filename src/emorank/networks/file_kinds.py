"""What kind of file somebody gives for weights, told by its content, with the way out."""

import struct
import zipfile
from pathlib import Path

from emorank.errors import WeightsError
from emorank.printable import printable

SAFETENSORS, ZIP, PICKLE, ONNX = "safetensors", "zip", "pickle", "onnx"

_BEGINNING = 1024  # bytes that are looked at
_HEADER = 100_000_000  # bytes; the greatest header that safetensors itself reads
SAVE_AGAIN = (
    "where the network was made, save its weights alone with these two lines:\n"
    "  import torch\n"
    '  torch.save(net.state_dict(), "mine.pth")'
)
_CONVERT = "emorank reads safetensors, PyTorch and ONNX files: build the same network there, and"
_BY_TF2ONNX = (
    "convert it to ONNX, where TensorFlow is (pip install tf2onnx), and give net.onnx:\n"
    "  python -m tf2onnx.convert --opset 17 --output net.onnx"
)

# How the content begins, what that is, and what to do.
_BEGIN: tuple[tuple[bytes, str, str], ...] = (
    (
        b"version https://git-lfs",
        "a Git-LFS pointer, not the weights themselves",
        "fetch them with `git lfs pull` in the repository, or by the file's own download link",
    ),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file (Keras)", f"{_BY_TF2ONNX} --keras mine.h5"),
    (b"\x93NUMPY", "a NumPy array (.npy)", f"{_CONVERT} {SAVE_AGAIN}"),
    (b"\x1f\x8b", "compressed by gzip", "unpack it and give the file that is in it"),
    (b"BZh", "compressed by bzip2", "unpack it and give the file that is in it"),
    (b"\xfd7zXZ", "compressed by xz", "unpack it and give the file that is in it"),
    (b"7z\xbc\xaf'\x1c", "a 7-Zip archive", "unpack it and give the file that is in it"),
    (b"Rar!", "a RAR archive", "unpack it and give the file that is in it"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd", "unpack it and give the file that is in it"),
    (b"GGUF", "a GGUF file", f"{_CONVERT} {SAVE_AGAIN}"),
    (b"%PDF", "a PDF document", "give the file of the weights"),
    (b"\x89PNG", "a picture", "give the file of the weights"),
    (b"\xff\xd8\xff", "a picture", "give the file of the weights"),
)
_PAGES = (b"<!doctype", b"<html", b"<head", b"<?xml", b"<error")
# Formats without a beginning of their own, told by how the name ends.
_ENDINGS = {
    ".pb": "a TensorFlow graph",
    ".ckpt-index": "a TensorFlow checkpoint",
    ".index": "a TensorFlow checkpoint",
    ".meta": "a TensorFlow checkpoint",
    ".data-00000-of-00001": "a TensorFlow checkpoint",
    ".caffemodel": "a Caffe model",
    ".prototxt": "a description of a Caffe model, without weights",
    ".params": "an MXNet file",
    ".pdparams": "a Paddle file",
    ".engine": "a TensorRT engine",
    ".mlmodel": "a Core ML model",
    ".mat": "a MATLAB file",
}


def kind_of(file: Path) -> str:
    """`SAFETENSORS`, `ZIP` (PyTorch's format since 1.6), `PICKLE` (its older one) or `ONNX`.

    Raises:
        WeightsError: another kind of file, or one that is cut short; the message says which, and
            what to do.
    """
    if file.is_dir():
        raise WeightsError(f"{file}: a folder; give the file of the weights that is in it")
    if not file.is_file():
        raise WeightsError(f"{file}: no such weights file; see: emorank weights list")
    try:
        with file.open("rb") as stream:
            begin, size = stream.read(_BEGINNING), file.stat().st_size
    except OSError as error:
        raise WeightsError(f"{file}: cannot be read ({error.strerror})") from error
    if not begin:
        raise damaged(file, "it is empty, 0 bytes")
    for mark, what, way_out in _BEGIN:
        if begin.startswith(mark):
            raise WeightsError(f"{file}: {what}; {way_out}")
    if b"<net " in begin and begin.lstrip().startswith(b"<"):
        raise WeightsError(
            f"{file}: an OpenVINO model; give the ONNX file or the network that it was made from"
        )
    if begin.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_PAGES):
        raise WeightsError(
            f"{file}: a web page, not weights: the download gave a page (of a login, a warning or "
            "an error); download again by the link of the file itself"
        )
    if file.suffix.lower() == ".onnx":
        return ONNX
    if begin.startswith(b"PK"):
        _check_archive(file)
        return ZIP
    if begin[8:9] == b"{" or file.suffix == ".safetensors":
        _check_safetensors(file, begin, size)
        return SAFETENSORS
    if begin[:1] == b"\x80" and begin[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return PICKLE
    known = file.name.lower().endswith(tuple(_ENDINGS))
    if not known and begin[:1] == b"\x08" and begin[1:2] in _VERSIONS and begin[2:3] in _NEXT:
        return ONNX
    raise _other(file, begin)


_VERSIONS = tuple(bytes([one]) for one in range(3, 64))  # of ONNX's format: files begin with it
_NEXT = (b"\x12", b":", b"B")  # what may come behind it: the producer, the graph, the operators


def _other(file: Path, begin: bytes) -> WeightsError:
    for ending, what in _ENDINGS.items():
        if file.name.lower().endswith(ending):
            return WeightsError(f"{file}: {what}; {_CONVERT} {SAVE_AGAIN}")
    if begin[4:8] == b"TFL3":
        way_out = f"{_BY_TF2ONNX} --tflite {shortened(file.name, 60)}"
        return WeightsError(f"{file}: a TensorFlow Lite model; {way_out}")
    if begin[257:262] == b"ustar":
        return WeightsError(f"{file}: a tar archive; unpack it and give the file that is in it")
    if begin.lstrip()[:1] in (b"{", b"["):
        return WeightsError(
            f"{file}: JSON, which has no weights; of a network in several files give one with all "
            "of its weights"
        )
    if b"\0" not in begin and begin.isascii():
        return WeightsError(f"{file}: text, not weights; give the file of the weights")
    return damaged(file, "it begins like none of the files that hold weights", of="no weights file")


def _check_safetensors(file: Path, begin: bytes, size: int) -> None:
    """Refuse a header that is longer than the file, before anybody makes room for it."""
    if size < 8:
        raise damaged(file, f"{size} bytes are less than the header of a safetensors file")
    (length,) = struct.unpack("<Q", begin[:8])
    if length > _HEADER or begin[8:9] != b"{":
        raise damaged(file, "its header is none of a safetensors file")
    if 8 + length > size:
        raise damaged(
            file, f"its header needs {8 + length:,} bytes and the file has {size:,}; copy it again"
        )


def _check_archive(file: Path) -> None:
    """Refuse archives that are none of PyTorch's state dicts, or would unpack to more."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError) as error:
        raise damaged(file, "its archive has no end; download or copy it again") from error
    names = [member.filename for member in members]
    inner = {name.partition("/")[2] for name in names}
    if any(name.startswith("code/") for name in inner) or "constants.pkl" in inner:
        raise WeightsError(
            f"{file}: a TorchScript program, which is not run here. If it is a VGG, AlexNet or "
            "ResNet, save the weights that are in it with these two lines:\n"
            "  import torch\n"
            f'  torch.save(torch.jit.load("{shortened(file.name)}").state_dict(), "mine.pth")\n'
            "Any other network becomes an ONNX file, for images of its size, and that is read:\n"
            f'  net = torch.jit.load("{shortened(file.name)}")\n'
            '  torch.onnx.export(net, (torch.zeros(1, 3, 224, 224),), "net.onnx", dynamo=False)'
        )
    if names and all(name.endswith(".npy") for name in names):
        raise WeightsError(f"{file}: NumPy arrays (.npz); {_CONVERT} {SAVE_AGAIN}")
    if "model.weights.h5" in names or "saved_model.pb" in {Path(name).name for name in names}:
        raise WeightsError(
            f"{file}: a Keras or TensorFlow model; {_BY_TF2ONNX} --saved-model FOLDER\n"
            f'where model.export("FOLDER") wrote the folder'
        )
    if "data.pkl" not in inner:
        some = ", ".join(shortened(name, 60) for name in names[:3]) or "nothing"
        raise WeightsError(
            f"{file}: a zip archive of {some}, no weights; unpack it and give the file in it"
        )
    if any(m.compress_type != zipfile.ZIP_STORED for m in members):
        raise WeightsError(
            f"{file}: an archive that was packed again, as PyTorch never does; unpack it, or "
            f"{SAVE_AGAIN}"
        )
    if any(member.CRC for member in members):  # a setting of PyTorch's leaves them out
        _check_sums(file)


def _check_sums(file: Path) -> None:
    """Refuse an archive whose members are not those that were written."""
    try:
        with zipfile.ZipFile(file) as archive:
            bad = archive.testzip()
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, RuntimeError) as error:
        raise damaged(file, "its archive cannot be read; download or copy it again") from error
    if bad is not None:
        raise damaged(
            file, f"the checksum of {shortened(bad, 60)} does not fit; download or copy it again"
        )


def damaged(file: Path, why: str, of: str = "") -> WeightsError:
    """The error for a file that is not whole."""
    return WeightsError(f"{file}: truncated, damaged{', or ' + of if of else ''}: {why}")


def shortened(text: str, most: int = 400) -> str:
    """Names from a stranger's file, so that they can be shown, and not too many of them."""
    clean = printable(text)
    return clean if len(clean) <= most else f"{clean[: most - 1]}…"
