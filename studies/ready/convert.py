"""Converts the two networks of `@vladmandic/face-api` to the files that the package ships.

    npm pack @vladmandic/face-api@1.7.15 && tar xzf vladmandic-face-api-1.7.15.tgz
    python studies/ready/convert.py package/model src/emorank/networks/ready

A network is a JSON manifest (names, shapes and quantisation of tensors, in TensorFlow's order)
beside one file of bytes. The bytes stay as they are, 8 bits a weight; only their order changes to
torch's. The scale and the least value of each tensor go into the header of the safetensors file.
"""

import hashlib
import json
import re
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

# Places of the residual blocks of each width in `identity_network().features`.
FIRST = {"32": 3, "64": 6, "128": 10, "256": 13}
PLACES = {"down": 0, "1": 1, "2": 2, "3": 3, "down_out": 3}


def tensors(folder, stem):
    """Name, array of stored numbers, and (scale, least) of each tensor."""
    manifest = json.loads((folder / f"{stem}-weights_manifest.json").read_text())
    data, start = (folder / f"{stem}.bin").read_bytes(), 0
    for entry in manifest[0]["weights"]:
        quantization = entry.get("quantization")
        kind = np.dtype(quantization["dtype"] if quantization else "<f4")
        count = int(np.prod(entry["shape"]))
        array = np.frombuffer(data, kind, count, start).reshape(entry["shape"])
        start += array.nbytes
        yield (
            entry["name"],
            array,
            [quantization["scale"], quantization["min"]] if quantization else [1.0, 0.0],
        )
    if start != len(data):
        sys.exit(f"{stem}.bin: expected {start} bytes, got {len(data)}")


def expression_name(name):
    """The name in `expression_network` of a tensor of `face_expression_model`."""
    block, *rest = name.split("/")
    if block == "fc":
        return f"classifier.0.{'weight' if rest[0] == 'weights' else 'bias'}"
    place = f"features.{block.removeprefix('dense')}.{rest[0]}"
    if block == "dense0" and rest[0] == "conv0":
        return f"{place}.1.{'weight' if rest[1] == 'filters' else 'bias'}"
    kind = {
        "depthwise_filter": "depthwise.weight",
        "pointwise_filter": "pointwise.weight",
        "bias": "pointwise.bias",
    }
    return f"{place}.{kind[rest[1]]}"


def identity_name(name):
    """The name in `identity_network` of a tensor of `face_recognition_model`."""
    block, *rest = name.split("/")
    if block == "fc":
        return "classifier.0.weight"
    layer, part = rest[-2:]
    kind = "weight" if part in {"filters", "weights"} else "bias"
    if block == "conv32_down":
        return f"features.0.{layer}.{kind}"
    width, which = re.fullmatch(r"conv(\d+)_(\w+)", block).groups()
    place = FIRST[width] + PLACES[which] - (width == "32")
    return f"features.{place}.{rest[0]}.{layer}.{kind}"


def in_torch_order(name, array):
    """TensorFlow's order of axes changed to torch's."""
    if array.ndim == 4:
        return array.transpose(2, 3, 0, 1) if "depthwise" in name else array.transpose(3, 2, 0, 1)
    if array.ndim == 2:
        return array.T
    return array.reshape(-1, 1, 1, 1) if name.endswith("scale/weights") else array


def convert(folder, stem, rename, out):
    """Write one network and print the SHA-256 of its file."""
    arrays, scales = {}, {}
    for name, array, scale in tensors(folder, stem):
        arrays[rename(name)] = np.ascontiguousarray(in_torch_order(name, array))
        scales[rename(name)] = scale
    save_file(arrays, out, {"scales": json.dumps(scales, sort_keys=True)})
    print(out.name, hashlib.sha256(out.read_bytes()).hexdigest(), out.stat().st_size)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    convert(source, "face_expression_model", expression_name, target / "expression.safetensors")
    convert(source, "face_recognition_model", identity_name, target / "identity.safetensors")
