"""Files that are damaged, too new, or made to do harm: each is refused in a sentence."""

import subprocess
import sys

import onnx
import pytest
from tests.small_onnx import ferplus

from emorank.errors import WeightsError
from emorank.networks.onnx_files import read_onnx


@pytest.fixture
def model(tmp_path):
    return onnx.load(ferplus(tmp_path / "good.onnx"))


def refused(model, path, why, **options):
    path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
    with pytest.raises(WeightsError, match=why) as error:
        read_onnx(path, **options)
    assert str(path) in str(error.value)


def test_bytes_that_are_no_onnx(model, tmp_path):
    whole, path = model.SerializeToString(), tmp_path / "net.onnx"
    for content in (b"", whole[:-100], whole[:50], b"\x08\x07" + bytes(range(256)), b"\x08\x07"):
        refused(content, path, r"net\.onnx: truncated, damaged, or no ONNX file")


def test_a_format_or_operators_from_the_future_or_of_long_ago(model, tmp_path):
    path = tmp_path / "net.onnx"
    model.ir_version = 99
    refused(model, path, r"format \(IR\) version 99, newer than .*pip install --upgrade onnx")
    model.ir_version = 8
    model.opset_import[0].version = 999
    refused(model, path, r"operators of version \(opset\) 999, newer than .*opset_version=")
    model.opset_import[0].version = 6
    refused(model, path, r"\(opset\) 6; expected 7 or later(.|\n)*convert_version\(old, 13\)")


def test_inputs_and_outputs_that_are_not_those_of_images(model, tmp_path):
    path = tmp_path / "net.onnx"
    shape = model.graph.input[0].type.tensor_type.shape
    second = model.graph.input.add()
    second.name = "audio"
    refused(model, path, r"got 2 \(Input3, audio\)")
    del model.graph.input[1]
    again = model.graph.output.add()
    again.name = "ReLU9_Output_0"
    refused(model, path, "expected one output, the logits, got Plus692_Output_0, ReLU9_Output_0")
    refused(model, path, "'nothing' is no output", output="nothing")
    assert read_onnx(path, output="Plus692_Output_0")
    del model.graph.output[1]
    refused(model, path, "have 64×64 pixels, got a size of 48×48", size=48)
    del shape.dim[3]
    refused(model, path, r"takes images.* got input 'Input3' of shape \(1, 1, 64\)")


def test_weights_of_other_shapes_or_cut_short(model, tmp_path):
    path, first = tmp_path / "net.onnx", model.graph.initializer[0]
    good = first.raw_data
    first.raw_data = good[:-4]
    refused(model, path, "the tensor 'Parameter0' is not as its header says")
    first.raw_data = good
    first.dims[0] = 2**40
    refused(model, path, "the tensor 'Parameter0' is not as its header says")
    first.dims[0] = -4
    refused(model, path, "the tensor 'Parameter0' is not as its header says")
    first.dims[:] = [1, 4, 3, 3]
    refused(model, path, "cannot read the operator Conv 'Convolution0'")


@pytest.fixture
def beside(model, tmp_path):
    """A model whose weights lie in a second file, in a folder of its own."""
    folder = tmp_path / "folder"
    folder.mkdir()
    onnx.save(
        model, folder / "net.onnx", save_as_external_data=True, location="weights.bin",
        size_threshold=0, convert_attribute=False,
    )  # fmt: skip
    return folder / "net.onnx"


def test_weights_in_a_second_file(beside, model):
    found = read_onnx(beside).state_dict()
    for name, tensor in read_onnx(beside.parent.parent / "good.onnx").state_dict().items():
        assert found[name].equal(tensor)
    (beside.parent / "weights.bin").write_bytes(b"short")
    with pytest.raises(WeightsError, match=r"would lie at bytes .* of 'weights\.bin', which has 5"):
        read_onnx(beside)
    (beside.parent / "weights.bin").unlink()
    with pytest.raises(WeightsError, match=r"in a second file, 'weights\.bin', which is not there"):
        read_onnx(beside)


def places(path, location):
    """Say of all weights of a file that they lie elsewhere."""
    model = onnx.load(path, load_external_data=False)
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = location
    path.write_bytes(model.SerializeToString())


def test_weights_outside_the_folder_are_not_read(beside, tmp_path):
    """Neither by a path upwards, an absolute one, nor a link: a file could show others' secrets."""
    secret = tmp_path / "secret.bin"
    (beside.parent / "weights.bin").rename(secret)
    (beside.parent / "link.bin").symlink_to(secret)
    for location in ("../secret.bin", "a/../../secret.bin", str(secret), "link.bin", ""):
        places(beside, location)
        with pytest.raises(WeightsError, match="outside the folder of the file"):
            read_onnx(beside)


def test_names_from_a_file_do_no_harm(model, tmp_path):
    """Names with signs, Python's own words, those of a net's parts, one within another."""
    nodes = [node for node in model.graph.node if node.op_type in ("Conv", "MatMul")]
    names = ('steps"]; import os #', "forward", "forward.x", "..", "a\x1b[2J")
    for node, name in zip(nodes, names, strict=True):
        node.name = name
    onnx.save(model, tmp_path / "net.onnx")
    given = [name for name, _ in read_onnx(tmp_path / "net.onnx").named_parameters()]
    assert len(given) == len(names)
    assert all(part.isidentifier() for one in given for part in one.split("."))


def test_without_the_package_it_is_named(tmp_path):
    """And what reads other files needs none."""
    path = ferplus(tmp_path / "net.onnx")
    code = (
        "import sys; sys.modules['onnx'] = None\n"
        "import emorank.relevance, emorank.networks.network as network\n"
        f"network.load_network({str(path)!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install 'emorank[onnx]'" in done.stderr
    assert "WeightsError" in done.stderr
