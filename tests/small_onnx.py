"""Small ONNX files like those that strangers bring."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def ferplus(path: Path | str, scaled: bool = False) -> Path:
    """A narrow network of the kind of emotion-ferplus-8.onnx, as CNTK wrote it.

    One grey channel of 64×64 pixels, operators of version 8, biases as sums, dense layers as matrix
    products of reshaped weights, batch 1 written into its shapes, no softmax. `scaled`: its first
    steps subtract 127.5 and divide by 255.
    """
    random = np.random.default_rng(3)
    constants: dict[str, np.ndarray] = {}
    nodes = []

    def constant(name: str, value: np.ndarray) -> str:
        constants[name] = value
        return name

    def weights(name: str, *shape: int) -> str:
        scale = np.sqrt(2 / np.prod(shape[1:] if len(shape) == 4 else shape[:-1]))
        return constant(name, random.normal(scale=scale, size=shape).astype(np.float32))

    def step(kind: str, name: str, *inputs: str, **settings: object) -> str:
        nodes.append(helper.make_node(kind, inputs, [f"{name}_Output_0"], name, **settings))
        return f"{name}_Output_0"

    now = "Input3"
    if scaled:
        now = step("Sub", "Minus340", now, constant("Constant339", np.array(127.5, np.float32)))
        now = step("Div", "Block352", now, constant("Constant343", np.array(255, np.float32)))
    for k, (before, after) in enumerate([(1, 4), (4, 6), (6, 8)]):
        now = step(
            "Conv", f"Convolution{k}", now, weights(f"Parameter{k}", after, before, 3, 3),
            kernel_shape=[3, 3], strides=[1, 1], auto_pad="SAME_UPPER", group=1, dilations=[1, 1],
        )  # fmt: skip
        bias = random.normal(scale=0.1, size=(after, 1, 1)).astype(np.float32)
        now = step("Add", f"Plus{k}", now, constant(f"Bias{k}", bias))
        now = step("Relu", f"ReLU{k}", now)
        now = step(
            "MaxPool", f"Pooling{k}", now,
            kernel_shape=[2, 2], strides=[2, 2], pads=[0, 0, 0, 0], auto_pad="NOTSET",
        )  # fmt: skip
        now = step("Dropout", f"Dropout{k}", now, ratio=0.25)
    now = step("Reshape", "Times0_reshape0", now, constant("to_row", np.array([1, 512])))
    flat = step(
        "Reshape", "Times0_reshape1", weights("Parameter9", 8, 8, 8, 16),
        constant("to_matrix", np.array([512, 16])),
    )  # fmt: skip
    now = step("MatMul", "Times0", now, flat)
    now = step("Relu", "ReLU9", now)
    now = step("MatMul", "Times1", now, weights("Parameter10", 16, 8))
    step("Add", "Plus692", now, constant("Bias10", random.normal(size=8).astype(np.float32)))
    graph = helper.make_graph(
        nodes,
        "CNTKGraph",
        [helper.make_tensor_value_info("Input3", TensorProto.FLOAT, [1, 1, 64, 64])],
        [helper.make_tensor_value_info("Plus692_Output_0", TensorProto.FLOAT, [1, 8])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 8)])
    model.ir_version, model.producer_name, model.producer_version = 3, "CNTK", "2.5.1"
    onnx.save(model, str(path))
    return Path(path)
