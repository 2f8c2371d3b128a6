"""Each operator gives what onnxruntime computes, for a batch of a file that was made for one."""

import numpy as np
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from emorank.errors import WeightsError
from emorank.networks.onnx_files import read_onnx

RANDOM = np.random.default_rng(7)


def array(*shape):
    return RANDOM.normal(size=shape).astype(np.float32)


def positive(*shape):
    return RANDOM.uniform(0.5, 1.5, shape).astype(np.float32)


def ints(*values):
    return np.array(values, np.int64)


def floats(*values):
    return np.array(values, np.float32)


def saved(path, nodes, constants, shape=(1, 4, 8, 6), opset=17, outputs=("y",)):
    """A file of these operators on "x", the last of which gives "y"."""
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 8
    path.write_bytes(model.SerializeToString())
    return path


def expected(path, images):
    """What onnxruntime computes of each image by itself."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    rows = [session.run(None, {name: one[None]})[0].reshape(-1) for one in images.numpy()]
    return torch.from_numpy(np.stack(rows))


def agrees(path):
    """Three images at once by the module, each alone by onnxruntime."""
    net = read_onnx(path)
    images = torch.randn(3, net.about.channels, *net.about.size, generator=torch.manual_seed(1))
    wanted = expected(path, images if net.about.layout == "first" else images.permute(0, 2, 3, 1))
    torch.testing.assert_close(net(images), wanted, rtol=1e-5, atol=2e-5)
    return net


N = helper.make_node

# One operator from "x" to "z": its settings, its constants, the version of the operators.
ALONE = {
    "conv": (("Conv", {"pads": [1, 2, 1, 2]}), [array(6, 4, 3, 3), array(6)], 17),
    "conv_sides": (("Conv", {"pads": [0, 1, 2, 0]}), [array(6, 4, 3, 3)], 17),
    "conv_same": (("Conv", {"auto_pad": "SAME_UPPER", "strides": [2, 2]}), [array(6, 4, 3, 2)], 8),
    "conv_lower": (("Conv", {"auto_pad": "SAME_LOWER"}), [array(6, 4, 2, 2)], 17),
    "conv_groups": (("Conv", {"group": 2, "dilations": [2, 1]}), [array(6, 2, 3, 3)], 17),
    "deconv": (
        ("ConvTranspose", {"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]}),
        [array(4, 5, 3, 3), array(5)], 17,
    ),
    "deconv_same": (
        ("ConvTranspose", {"strides": [2, 2], "auto_pad": "SAME_UPPER"}), [array(4, 5, 3, 3)], 17,
    ),
    "deconv_sides": (
        ("ConvTranspose", {"strides": [2, 1], "pads": [0, 1, 1, 0]}), [array(4, 5, 3, 3)], 17,
    ),
    "batch_norm": (
        ("BatchNormalization", {"epsilon": 1e-3}),
        [positive(4), array(4), array(4), positive(4)], 17,
    ),
    "instance_norm": (("InstanceNormalization", {}), [positive(4), array(4)], 17),
    "group_norm": (("GroupNormalization", {"num_groups": 2}), [positive(4), array(4)], 21),
    "group_norm_of_18": (("GroupNormalization", {"num_groups": 2}), [positive(2), array(2)], 18),
    "layer_norm": (("LayerNormalization", {}), [positive(6), array(6)], 17),
    "layer_norm_of_maps": (("LayerNormalization", {"axis": 1}), [positive(4, 8, 6)], 17),
    "local_norm": (("LRN", {"size": 3, "alpha": 0.1, "bias": 2.0}), [], 17),
    "max_pool": (("MaxPool", {"kernel_shape": [3, 2], "pads": [1, 1, 1, 1]}), [], 17),
    "max_pool_same": (
        ("MaxPool", {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_UPPER"}), [], 17,
    ),
    "max_pool_dense": (("MaxPool", {"kernel_shape": [2, 2], "auto_pad": "SAME_UPPER"}), [], 17),
    "max_pool_lower": (("MaxPool", {"kernel_shape": [2, 2], "auto_pad": "SAME_LOWER"}), [], 17),
    "max_pool_ceil": (
        ("MaxPool", {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}), [], 17,
    ),
    "average": (("AveragePool", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}), [], 17),
    "average_zeros": (
        ("AveragePool", {"kernel_shape": [3, 3], "pads": [0, 1, 1, 1], "count_include_pad": 1}),
        [], 17,
    ),
    "average_same": (
        ("AveragePool", {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_UPPER"}),
        [], 17,
    ),
    "global_average": (("GlobalAveragePool", {}), [], 17),
    "global_maximum": (("GlobalMaxPool", {}), [], 17),
    "relu": (("Relu", {}), [], 17),
    "leaky": (("LeakyRelu", {"alpha": 0.2}), [], 17),
    "prelu": (("PRelu", {}), [positive(4, 1, 1)], 17),
    "prelu_of_columns": (("PRelu", {}), [positive(1, 1, 6)], 17),
    "elu": (("Elu", {"alpha": 0.7}), [], 17),
    "selu": (("Selu", {}), [], 17),
    "celu": (("Celu", {"alpha": 0.6}), [], 17),
    "clip": (("Clip", {}), [floats(-0.2), floats(0.9)], 17),
    "clip_of_6": (("Clip", {"min": 0.0, "max": 6.0}), [], 8),
    "sigmoid": (("Sigmoid", {}), [], 17),
    "hard_sigmoid": (("HardSigmoid", {}), [], 17),
    "hard_swish": (("HardSwish", {}), [], 17),
    "mish": (("Mish", {}), [], 18),
    "gelu": (("Gelu", {"approximate": "tanh"}), [], 20),
    "tanh": (("Tanh", {}), [], 17),
    "softplus": (("Softplus", {}), [], 17),
    "softmax": (("Softmax", {"axis": 1}), [], 17),
    "softmax_of_old": (("Softmax", {"axis": 2}), [], 9),
    "add": (("Add", {}), [array(4, 1, 1)], 17),
    "subtract_rows": (("Sub", {}), [array(1, 1, 8, 6)], 17),
    "divide": (("Div", {}), [positive(1)], 17),
    "power": (("Pow", {}), [floats(2)], 17),
    "at_least": (("Max", {}), [floats(0)], 17),
    "at_most": (("Min", {}), [floats(0.5)], 17),
    "reshape": (("Reshape", {}), [ints(0, -1, 12)], 17),
    "reshape_wide": (("Reshape", {}), [ints(2, 2, 48)], 17),
    "flatten": (("Flatten", {"axis": 2}), [], 17),
    "squeeze": (("Squeeze", {}), [ints(0)], 17),
    "unsqueeze": (("Unsqueeze", {"axes": [0, 3]}), [], 11),
    "transpose": (("Transpose", {"perm": [2, 3, 0, 1]}), [], 17),
    "slice": (("Slice", {}), [ints(1, -5), ints(3, 100), ints(1, 2), ints(1, 2)], 17),
    "slice_back": (("Slice", {}), [ints(-1), ints(-100), ints(3), ints(-1)], 17),
    "slice_of_old": (("Slice", {"starts": [1], "ends": [3], "axes": [1]}), [], 9),
    "gather_one": (("Gather", {"axis": 2}), [np.array(-2, np.int64)], 17),
    "gather_some": (("Gather", {"axis": 1}), [ints(3, 0, 0)], 17),
    "tokens": (("Concat", {"axis": 1}), [array(1, 1, 8, 6)], 17),
    "expand": (("Expand", {}), [ints(2, 1, 1, 1, 1)], 17),
    "pad": (("Pad", {}), [ints(0, 1, 1, 0, 0, 0, 0, 2)], 17),
    "pad_of_old": (("Pad", {"pads": [0, 0, 1, 0, 0, 0, 0, 2], "value": 0.5}), [], 9),
    "pad_reflect": (("Pad", {"mode": "reflect"}), [ints(0, 0, 1, 2, 0, 0, 2, 1)], 17),
    "mean": (("ReduceMean", {"axes": [2, 3], "keepdims": 0}), [], 17),
    "mean_of_18": (("ReduceMean", {}), [ints(0, -1)], 18),
    "sum": (("ReduceSum", {"keepdims": 0}), [ints(1)], 17),
    "maximum": (("ReduceMax", {"axes": [3]}), [], 17),
    "depth_to_space": (("DepthToSpace", {"blocksize": 2}), [], 17),
    "depth_to_space_crd": (("DepthToSpace", {"blocksize": 2, "mode": "CRD"}), [], 17),
    "space_to_depth": (("SpaceToDepth", {"blocksize": 2}), [], 17),
    "twice": (("Resize", {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}),
              [floats(), floats(1, 1, 2, 2)], 17),
    "twice_centred": (("Resize", {}), [floats(), floats(1, 1, 2, 3)], 17),
    "bilinear": (("Resize", {"mode": "linear"}), [floats(), floats(), ints(1, 4, 11, 9)], 17),
    "corners": (
        ("Resize", {"mode": "linear", "coordinate_transformation_mode": "align_corners"}),
        [floats(), floats(), ints(1, 4, 11, 9)], 17,
    ),
    "cubic": (("Resize", {"mode": "cubic"}), [floats(), floats(1, 1, 2, 2)], 17),
    "upsample": (("Upsample", {}), [floats(1, 1, 2, 2)], 9),
    "matmul": (("MatMul", {}), [array(6, 5)], 17),
    "matmul_of_channels": (("MatMul", {}), [array(4, 6, 5)], 17),
}  # fmt: skip


@pytest.mark.parametrize("case", ALONE)
def test_an_operator_alone(case, tmp_path):
    (kind, settings), constants, opset = ALONE[case]
    names = [f"c{k}" if value.size else "" for k, value in enumerate(constants)]
    held = {name: value for name, value in zip(names, constants, strict=True) if name}
    nodes = [N(kind, ["x", *names], ["z"], **settings), N("Flatten", ["z"], ["y"], axis=0)]
    agrees(saved(tmp_path / "net.onnx", nodes, held, opset=opset))


# Several operators from "x" to "z", with their constants.
TOGETHER = {
    "two_branches": ([N("Relu", ["x"], ["a"]), N("Sub", ["a", "x"], ["z"])], {}),
    "gate": (
        [N("GlobalAveragePool", ["x"], ["m"]), N("Sigmoid", ["m"], ["g"]),
         N("Shape", ["x"], ["s"]), N("Expand", ["g", "s"], ["e"]), N("Mul", ["x", "e"], ["z"])], {},
    ),
    "number_before": ([N("Sub", ["c", "x"], ["z"])], {"c": floats(1)}),
    "parts": (
        [N("Split", ["x", "c"], ["a", "b"], axis=1), N("Tanh", ["b"], ["t"]),
         N("Concat", ["t", "a"], ["z"], axis=1)], {"c": ints(1, 3)},
    ),
    "sizes_asked_for": (
        [N("Shape", ["x"], ["s"]), N("Gather", ["s", "zero"], ["n"]),
         N("Unsqueeze", ["n", "at"], ["u"]), N("Concat", ["u", "rest"], ["t"], axis=0),
         N("Reshape", ["x", "t"], ["z"])],
        {"zero": np.array(0, np.int64), "at": ints(0), "rest": ints(-1)},
    ),
    "attention": (
        [N("Reshape", ["x", "c"], ["t"]), N("Transpose", ["t"], ["k"], perm=[0, 2, 1]),
         N("MatMul", ["t", "k"], ["w"]), N("Softmax", ["w"], ["s"], axis=-1),
         N("MatMul", ["s", "t"], ["z"])], {"c": ints(1, 4, 48)},
    ),
    "batch_in_the_middle": (  # as nn.MultiheadAttention is written: (length, batch · heads, width)
        [N("Reshape", ["x", "c"], ["t"]), N("Transpose", ["t"], ["l"], perm=[1, 0, 2]),
         N("Reshape", ["l", "d"], ["h"]), N("Transpose", ["h"], ["q"], perm=[1, 0, 2]),
         N("Transpose", ["h"], ["k"], perm=[1, 2, 0]), N("MatMul", ["q", "k"], ["w"]),
         N("MatMul", ["w", "q"], ["z"])], {"c": ints(1, 8, 24), "d": ints(8, 3, 8)},
    ),
    "vector": (
        [N("Flatten", ["x"], ["f"]), N("Gemm", ["f", "w", "b"], ["z"], transB=1, alpha=0.5)],
        {"w": array(5, 192), "b": array(1, 5)},
    ),
    "rows_and_maps": (  # (1, 6) and (1, 4, 8, 6)
        [N("ReduceMean", ["x"], ["m"], axes=[1, 2], keepdims=0), N("Add", ["x", "m"], ["z"])], {},
    ),
    "twice_there_and_back": (
        [N("Transpose", ["x"], ["t"], perm=[0, 2, 3, 1]), N("MatMul", ["t", "w"], ["m"]),
         N("Transpose", ["m"], ["z"], perm=[0, 3, 1, 2])], {"w": array(4, 3)},
    ),
    "weights_of_whole_numbers": (
        [N("DequantizeLinear", ["w", "s", "o"], ["f"], axis=0),
         N("Conv", ["x", "f"], ["z"])],
        {"w": RANDOM.integers(-9, 9, (3, 4, 3, 3)).astype(np.int8), "s": positive(3),
         "o": np.zeros(3, np.int8)},
    ),
    "norm_of_groups": (  # as torch writes it
        [N("Reshape", ["x", "c"], ["g"]), N("InstanceNormalization", ["g", "one", "no"], ["n"]),
         N("Shape", ["x"], ["s"]), N("Reshape", ["n", "s"], ["r"]), N("Mul", ["r", "w"], ["z"])],
        {"c": ints(0, 2, -1), "one": floats(1, 1), "no": floats(0, 0), "w": positive(4, 1, 1)},
    ),
    "einsum": ([N("Einsum", ["x", "x"], ["z"], equation="nchw,nchk->nwk")], {}),
    "mask": (  # as shifted windows write theirs
        [N("ScatterND", ["c", "at", "v"], ["m"]), N("Add", ["x", "m"], ["z"])],
        {"c": array(8, 6), "at": np.array([[0, 1], [7, 5]], np.int64), "v": floats(3, -4)},
    ),
    "condition": (
        [N("If", ["c"], ["z"],
           then_branch=helper.make_graph([N("Relu", ["x"], ["r"])], "a", [], [
               helper.make_tensor_value_info("r", TensorProto.FLOAT, None)]),
           else_branch=helper.make_graph([N("Neg", ["x"], ["n"])], "b", [], [
               helper.make_tensor_value_info("n", TensorProto.FLOAT, None)]))],
        {"c": np.array(True)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TOGETHER)
def test_operators_together(case, tmp_path):
    nodes, constants = TOGETHER[case]
    nodes = [*nodes, N("Flatten", ["z"], ["y"], axis=0)]
    agrees(saved(tmp_path / "net.onnx", nodes, constants))


# Functions of one value as exporters write them, and the layer that they are.
WRITTEN = {
    "gelu": [N("Div", ["x", "root2"], ["a"]), N("Erf", ["a"], ["b"]), N("Add", ["b", "1"], ["c"]),
             N("Mul", ["x", "c"], ["d"]), N("Mul", ["d", "half"], ["z"])],
    "gelu_by_tanh": [
        N("Pow", ["x", "3"], ["a"]), N("Mul", ["a", "k"], ["b"]), N("Add", ["x", "b"], ["c"]),
        N("Mul", ["c", "root2pi"], ["d"]), N("Tanh", ["d"], ["e"]), N("Add", ["e", "1"], ["f"]),
        N("Mul", ["x", "half"], ["g"]), N("Mul", ["g", "f"], ["z"])],
    "silu": [N("Sigmoid", ["x"], ["a"]), N("Mul", ["x", "a"], ["z"])],
    "hardswish": [N("Add", ["x", "3"], ["a"]), N("Clip", ["a", "0", "6"], ["b"]),
                  N("Mul", ["x", "b"], ["c"]), N("Div", ["c", "6"], ["z"])],
    "mish": [N("Softplus", ["x"], ["a"]), N("Tanh", ["a"], ["b"]), N("Mul", ["x", "b"], ["z"])],
    "layer_norm": [
        N("ReduceMean", ["x"], ["m"], axes=[-1]), N("Sub", ["x", "m"], ["d"]),
        N("Pow", ["d", "2"], ["q"]), N("ReduceMean", ["q"], ["v"], axes=[-1]),
        N("Add", ["v", "eps"], ["e"]), N("Sqrt", ["e"], ["r"]), N("Div", ["d", "r"], ["n"]),
        N("Mul", ["n", "weight"], ["s"]), N("Add", ["s", "bias"], ["z"])],
}  # fmt: skip
NUMBERS = {"1": 1, "2": 2, "3": 3, "0": 0, "6": 6, "half": 0.5, "root2": 2**0.5, "k": 0.044715,
           "root2pi": (2 / np.pi) ** 0.5, "eps": 1e-5}  # fmt: skip


@pytest.mark.parametrize("name", WRITTEN)
def test_a_layer_that_is_written_out_is_one_step(name, tmp_path):
    """So that relevance treats it as that layer."""
    constants = {key: np.array(value, np.float32) for key, value in NUMBERS.items()}
    nodes = [*WRITTEN[name], N("Flatten", ["z"], ["y"], axis=0)]
    path = saved(
        tmp_path / "net.onnx", nodes, constants | {"weight": positive(6), "bias": array(6)}
    )
    net = agrees(path)
    calls = [step.call if isinstance(step.call, str) else step.call.__name__ for step in net.steps]
    assert len(calls) == 2, calls
    if name == "layer_norm":
        assert isinstance(net.get_submodule(calls[0]), torch.nn.LayerNorm)
    else:
        assert calls[0] == name.removesuffix("_by_tanh")


REFUSED = {
    "Loop": (
        [N("Loop", ["", "", "x"], ["z"], body=helper.make_graph([], "b", [], []))], "repeated",
    ),
    "NonMaxSuppression": ([N("NonMaxSuppression", ["x", "x"], ["z"])], "as detectors do"),
    "QLinearConv": ([N("QLinearConv", ["x"], ["z"])], "quantised"),
    "com.microsoft.FusedConv": (
        [N("FusedConv", ["x", "x"], ["z"], domain="com.microsoft")], "onnxruntime's own",
    ),
    "Conv 'mine'": (
        [N("Conv", ["x", "x"], ["z"], name="mine")], "its weight depends on the images",
    ),
    "Cast": ([N("Cast", ["x"], ["z"], to=7)], "rounds values"),
    "LRN": ([N("LRN", ["x"], ["z"], size=2)], "even number of channels"),
    "Resize": (
        [N("Resize", ["x", "", "", "c"], ["z"],
           coordinate_transformation_mode="tf_crop_and_resize")],
        "in a way that torch has not",
    ),
    "MatMul": ([N("MatMul", ["x", "w"], ["z"])], "does not fit"),
    "Reshape": ([N("Reshape", ["x", "c"], ["z"])], "does not fit into"),
    "Relu": ([N("Relu", ["nowhere"], ["z"])], "nothing before it gives 'nowhere'"),
    "Tile": (
        [N("ConstantOfShape", ["huge"], ["h"]), N("Tile", ["h", "huge"], ["t"]),
         N("Add", ["x", "t"], ["z"])], "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_read_is_named(kind, tmp_path):
    """The operator, its name and what it gives."""
    nodes, why = REFUSED[kind]
    nodes = [*nodes, N("Flatten", ["z"], ["y"])]
    constants = {"c": ints(1, 4, 5, 7), "w": array(5, 5), "huge": ints(2**40)}
    path = saved(tmp_path / "net.onnx", nodes, constants)
    with pytest.raises(
        WeightsError, match=rf"net\.onnx: cannot read the operator .*{why}"
    ) as error:
        read_onnx(path)
    assert "which gives '" in str(error.value)
    if kind != "Tile":
        assert kind in str(error.value)


def test_activations_larger_than_any_memory_are_refused(tmp_path):
    """Before anything is computed: a file of a few bytes can ask for a padding of terabytes."""
    nodes = [N("Pad", ["x", "c"], ["z"]), N("GlobalAveragePool", ["z"], ["m"]),
             N("Flatten", ["m"], ["y"])]  # fmt: skip
    path = saved(tmp_path / "n.onnx", nodes, {"c": ints(0, 0, 0, 0, 0, 0, 2**20, 2**20)})
    with pytest.raises(WeightsError, match="gives 4,398"):
        read_onnx(path)
