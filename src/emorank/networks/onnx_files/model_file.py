"""An ONNX file as a `Graph`, or the refusal of one that is damaged, foreign or a trap.

The package `onnx` parses the file; nothing in it is executed, and weights that lie in other files
are read from the file's own folder only.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from emorank.errors import WeightsError
from emorank.networks.file_kinds import damaged, shortened
from emorank.networks.onnx_files.operators import Array, Graph, Operator

_OLDEST = 7  # from here on shapes fit each other as NumPy's
_MOST_BYTES = 2**31 - 1  # of a message of protocol buffers
_MOST_OPERATORS = 100_000
_DEPTH = 4  # of graphs in graphs
_OWN_DOMAINS = ("", "ai.onnx")
_AGAIN = 'export it again, for instance by torch.onnx.export(net, (images,), "net.onnx")'


def read_graph(file: Path) -> Graph:
    """Parse and check a file.

    Raises:
        WeightsError: missing, truncated, too new or too old, not of one input of images, or with
            weights in places where they may not be; or the package `onnx` is not installed.
    """
    onnx = _package(file)
    model = _parsed(file, onnx)
    opset = _versions(file, model, onnx)
    if model.functions:
        model = _inlined(file, model)
    return _Reader(file, model, opset).graph()


def _package(file: Path) -> Any:
    try:
        import onnx
        import onnx.inliner
        import onnx.numpy_helper
    except ImportError as error:
        raise WeightsError(
            f"{file}: an ONNX file, which the package onnx reads; install it: "
            "pip install 'emorank[onnx]'"
        ) from error
    return onnx


def _parsed(file: Path, onnx: Any) -> Any:
    try:
        size = file.stat().st_size
        if size > _MOST_BYTES:
            raise WeightsError(
                f"{file}: {size:,} bytes are more than an ONNX file can have; its weights belong "
                "into a file beside it (external data)"
            )
        content = file.read_bytes()
    except OSError as error:
        raise WeightsError(f"{file}: cannot be read ({error.strerror})") from error
    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except Exception as error:  # whatever protobuf makes of a stranger's bytes
        raise damaged(
            file, "it cannot be parsed as ONNX; download or copy it again", "no ONNX file"
        ) from error
    if not model.graph.node or not model.ir_version:
        raise damaged(file, "it has no operators; download or copy it again", "no ONNX file")
    return model


def _versions(file: Path, model: Any, onnx: Any) -> int:
    """The version of ONNX's own operators, if both it and the file's format are known."""
    newest_format, newest = onnx.IR_VERSION, onnx.defs.onnx_opset_version()
    if model.ir_version > newest_format:
        raise WeightsError(
            f"{file}: format (IR) version {model.ir_version}, newer than the {newest_format} that "
            f"the installed onnx {onnx.__version__} knows; pip install --upgrade onnx, or {_AGAIN}"
        )
    versions = [one.version for one in model.opset_import if one.domain in _OWN_DOMAINS]
    version = max(versions, default=1)
    if version > newest:
        raise WeightsError(
            f"{file}: operators of version (opset) {version}, newer than the {newest} that the "
            f"installed onnx {onnx.__version__} knows; pip install --upgrade onnx, or export it "
            f"with opset_version={newest}"
        )
    if version < _OLDEST:
        raise WeightsError(
            f"{file}: operators of version (opset) {version}; expected {_OLDEST} or later. These "
            "lines convert it:\n"
            "  import onnx, onnx.version_converter\n"
            f'  old = onnx.load("{shortened(file.name, 60)}")\n'
            '  onnx.save(onnx.version_converter.convert_version(old, 13), "new.onnx")'
        )
    return version


def _inlined(file: Path, model: Any) -> Any:
    """Functions of the file's own as the operators that they are made of."""
    import onnx.inliner

    try:
        return onnx.inliner.inline_local_functions(model)
    except Exception as error:  # whatever it makes of a stranger's functions
        raise damaged(file, "the functions that are defined in it do not fit", "foreign") from error


class _Reader:
    """Goes through the graphs of one file."""

    def __init__(self, file: Path, model: Any, opset: int) -> None:
        self.file = file
        self.model = model
        self.opset = opset
        self.converted: set[str] = set()
        self.count = 0

    def graph(self) -> Graph:
        model = self.model
        found = self.inner(model.graph, 0)
        inputs = [one for one in model.graph.input if one.name not in found.constants]
        if len(inputs) != 1:
            names = ", ".join(shortened(one.name, 40) for one in inputs) or "none"
            raise WeightsError(
                f"{self.file}: expected a network with one input, its images, got {len(inputs)} "
                f"({names})"
            )
        kind = inputs[0].type
        if not kind.HasField("tensor_type") or not kind.tensor_type.HasField("shape"):
            raise WeightsError(
                f"{self.file}: expected an input with a shape, (batch, channels, height, width); "
                f"'{shortened(inputs[0].name, 40)}' has none"
            )
        shape = tuple(
            int(one.dim_value) if one.HasField("dim_value") and one.dim_value > 0 else None
            for one in kind.tensor_type.shape.dim
        )
        version = f" {model.producer_version}" if model.producer_version else ""
        return Graph(
            found.operators,
            found.constants,
            (inputs[0].name, shape),
            tuple(one.name for one in model.graph.output),
            self.opset,
            shortened(f"{model.producer_name}{version}".strip(), 80),
            {one.key: one.value for one in model.metadata_props},
            tuple(sorted(self.converted)),
        )

    def inner(self, graph: Any, depth: int) -> Graph:
        """A graph, or one that is part of an operator."""
        if depth > _DEPTH:
            raise WeightsError(f"{self.file}: graphs within graphs, more than {_DEPTH} deep")
        self.count += len(graph.node)
        if self.count > _MOST_OPERATORS:
            raise WeightsError(f"{self.file}: more than {_MOST_OPERATORS:,} operators")
        if graph.sparse_initializer:
            raise WeightsError(f"{self.file}: weights that are stored sparsely; store them densely")
        constants = {one.name: self.array(one) for one in graph.initializer}
        operators = tuple(self.operator(node, depth) for node in graph.node)
        outputs = tuple(one.name for one in graph.output)
        return Graph(operators, constants, ("", ()), outputs, self.opset, "", {}, ())

    def operator(self, node: Any, depth: int) -> Operator:
        own = node.domain in _OWN_DOMAINS
        return Operator(
            node.op_type if own else f"{node.domain}.{node.op_type}",
            node.name,
            tuple(node.input),
            tuple(node.output),
            {one.name: self.setting(one, depth) for one in node.attribute},
            _scope(node),
        )

    def setting(self, attribute: Any, depth: int) -> Any:
        import onnx

        kinds = onnx.AttributeProto
        match attribute.type:
            case kinds.FLOAT:
                return attribute.f
            case kinds.INT:
                return attribute.i
            case kinds.STRING:
                return attribute.s.decode("utf-8", "replace")
            case kinds.TENSOR:
                return self.array(attribute.t)
            case kinds.FLOATS:
                return tuple(attribute.floats)
            case kinds.INTS:
                return tuple(attribute.ints)
            case kinds.STRINGS:
                return tuple(one.decode("utf-8", "replace") for one in attribute.strings)
            case kinds.GRAPH:
                return self.inner(attribute.g, depth + 1)
            case _:
                return None  # refused where it is needed

    def array(self, tensor: Any) -> Array:
        """A constant; floating ones as float32."""
        import onnx

        name = shortened(tensor.name, 80)
        if tensor.data_type == onnx.TensorProto.STRING:
            return np.zeros(0, np.float32)  # words that no layer computes with
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            tensor = self.beside(tensor)
        try:
            if any(size < 0 for size in tensor.dims):
                raise ValueError("negative size")
            array = np.asarray(onnx.numpy_helper.to_array(tensor))
        except Exception as error:  # whatever it makes of a stranger's bytes
            raise damaged(
                self.file, f"the tensor '{name}' is not as its header says; copy it again"
            ) from error
        kind = array.dtype.name
        if array.dtype == np.float32 or (array.dtype.kind in "iub" and array.dtype.itemsize <= 8):
            return array if array.flags.writeable else array.copy()
        if kind.startswith(("float", "bfloat")):
            self.converted.add(kind)
            return array.astype(np.float32)
        if kind.startswith(("int", "uint")):  # of four bits
            return array.astype(np.int64)
        raise WeightsError(f"{self.file}: the tensor '{name}' holds {kind}, expected real numbers")

    def beside(self, tensor: Any) -> Any:
        """A tensor whose values lie in another file, with its values."""
        import onnx

        name, where = shortened(tensor.name, 80), {e.key: e.value for e in tensor.external_data}
        path = self.other_file(where.get("location", ""), name)
        try:
            begin, size = int(where.get("offset", 0)), path.stat().st_size
            length = int(where.get("length", size - begin))
        except (ValueError, OSError) as error:
            raise damaged(self.file, f"the place of the tensor '{name}' cannot be read") from error
        if begin < 0 or length < 0 or begin + length > size:
            raise damaged(
                self.file,
                f"the tensor '{name}' would lie at bytes {begin:,} to {begin + length:,} of "
                f"'{shortened(path.name, 80)}', which has {size:,}; copy that file again",
            )
        with path.open("rb") as file:
            file.seek(begin)
            content = file.read(length)
        whole = onnx.TensorProto(dims=tensor.dims, data_type=tensor.data_type, name=tensor.name)
        whole.raw_data = content
        return whole

    def other_file(self, location: str, tensor: str) -> Path:
        """The file of some weights, which must lie in the folder of this one."""
        folder = self.file.resolve().parent
        inside = os.path.normpath(location)
        away = Path(inside).is_absolute() or inside in ("", ".") or inside.startswith("..")
        if away or "\0" in location or not (folder / inside).resolve().is_relative_to(folder):
            raise WeightsError(
                f"{self.file}: the weights '{tensor}' are said to be in "
                f"'{shortened(location, 120)}', outside the folder of the file; this is not read. "
                "Keep both files in one folder, as they were exported"
            )
        path = folder / inside
        if not path.is_file():
            raise WeightsError(
                f"{self.file}: its weights are in a second file, '{shortened(location, 120)}', "
                "which is not there; copy it into the same folder"
            )
        return path


def _scope(node: Any) -> str:
    """The module that an operator was part of: "layer1.0.conv1"."""
    for one in node.metadata_props:
        if one.key == "pkg.torch.onnx.name_scopes":  # torch's newer exporter
            words = [word.strip(" '\"") for word in one.value.strip("[]").split(",")]
            return words[-2] if len(words) > 1 else ""
    if not node.name.startswith("/"):  # not torch's older exporter
        return ""
    return ".".join(_joined(node.name.strip("/").split("/")[:-1]))


def _joined(parts: list[str]) -> Iterator[str]:
    """The names of modules in each other: that of a member of a list says the list's again."""
    for part, after in zip(parts, (*parts, "")[1:], strict=True):
        if not after.startswith(f"{part}."):
            yield part
