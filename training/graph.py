"""Runs an ONNX graph operator by operator, straight from its file.

Debian has no ONNX Runtime for Python. This knows only the operators that
pocketdepth and its teacher use. For ours it is an independent reading of the file: it
would notice a wrong weight, padding or resize mode that comparing two torch modules cannot.
"""

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch.nn import functional as F


def _attributes(node):
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


def _conv(a, x, weight, bias=None):
    top, left, bottom, right = a["pads"]
    if (top, left) != (bottom, right):
        raise ValueError("lopsided padding")
    return F.conv2d(x, weight, bias, a["strides"], (top, left), a["dilations"], a["group"])


def _resize(a, x, _, scales=None, sizes=None):
    if a["mode"] != b"linear" or a["coordinate_transformation_mode"] not in (b"half_pixel", b"pytorch_half_pixel"):
        raise ValueError("another resize than the bilinear one with half-pixel centres")
    if sizes is None:
        sizes = [round(side * float(scale)) for side, scale in zip(x.shape, scales)]
    return F.interpolate(x, tuple(int(s) for s in sizes[2:]), mode="bilinear", align_corners=False)


CASTS = {onnx.TensorProto.FLOAT: torch.float32, onnx.TensorProto.INT64: torch.int64}


def _cast(a, x):
    if a["to"] not in CASTS:
        raise ValueError("a cast to another type than float32 or int64")
    return x.to(CASTS[a["to"]])


def _slice(a, x, starts, ends, axes, steps=None):
    steps = torch.ones_like(axes) if steps is None else steps
    for start, end, axis, step in zip(*(v.tolist() for v in (starts, ends, axes, steps))):
        x = x[(slice(None),) * (axis % x.ndim) + (slice(start, end, step),)]
    return x


def _per_channel(a, x, scale, zero):
    shape = [-1 if i == a.get("axis", 1) else 1 for i in range(x.ndim)] if scale.ndim else []
    return scale.reshape(shape), zero.float().reshape(shape)


def _quantize(a, x, scale, zero):
    if zero.dtype != torch.uint8:
        raise ValueError("another type of whole numbers than uint8")
    scale, zero = _per_channel(a, x, scale, zero)
    return ((x / scale).round() + zero).clamp(0, 255).to(torch.uint8)


def _dequantize(a, x, scale, zero):
    scale, zero = _per_channel(a, x, scale, zero)
    return (x.float() - zero) * scale


OPERATORS = {
    "Add": lambda a, x, y: x + y,
    "Cast": _cast,
    "Concat": lambda a, *parts: torch.cat(parts, a["axis"]),
    "Constant": lambda a: torch.from_numpy(numpy_helper.to_array(a["value"]).copy()),
    "Conv": _conv,
    "DequantizeLinear": _dequantize,
    "Div": lambda a, x, y: x / y,
    "Gather": lambda a, x, index: x.select(a.get("axis", 0), int(index)),
    "GlobalAveragePool": lambda a, x: x.mean((2, 3), keepdim=True),
    "Identity": lambda a, x: x,
    "Mul": lambda a, x, y: x * y,
    "QuantizeLinear": _quantize,
    "Relu": lambda a, x: x.clamp(min=0),
    "Resize": _resize,
    "Shape": lambda a, x: torch.tensor(x.shape),
    "Slice": _slice,
    "Squeeze": lambda a, x, axis: x.squeeze(int(axis)),
    "Sub": lambda a, x, y: x - y,
    "Transpose": lambda a, x: x.permute(a["perm"]),
    "Unsqueeze": lambda a, x, axis: x.unsqueeze(int(axis)),
}


def run_graph(model, image, names=None):
    """The graph's one output for its one input, an array; model is an onnx.ModelProto.

    pocketdepth gives float32 [1, 1, 256, 320] for uint8 [1, 256, 320, 3].

    With names, a dict of the values of those names instead, and nothing beyond them is computed.
    """
    graph = model.graph
    values = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in graph.initializer}
    values[graph.input[0].name] = torch.from_numpy(np.ascontiguousarray(image))
    for node in graph.node:
        if names is not None and all(name in values for name in names):
            break
        if node.op_type not in OPERATORS:
            raise ValueError(f"operator {node.op_type} is new to this file")
        inputs = [values[name] if name else None for name in node.input]
        values[node.output[0]] = OPERATORS[node.op_type](_attributes(node), *inputs)
    if names is not None:
        return {name: values[name] for name in names}
    return values[graph.output[0].name]
