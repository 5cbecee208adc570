#!/usr/bin/env python3
"""Writes models/pocketdepth_int8.onnx, the network in whole numbers, calibrated on training photographs. See README.md."""

import argparse
import hashlib
import pathlib

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper

import data
from graph import run_graph
from network import DEVIATION, MEAN
from storage import restored

WEIGHT = 63
"""Largest whole-number weight: 7 bits. Processors with AVX2 but without VNNI add two products of bytes in 16 bits, which 8 would overflow."""

TAIL = 1e-4
"""Part of a map's values, at each end, that may lie outside the range of its 256 steps."""


def with_exact_input(model):
    """Replaces the normalisation of the input by a DequantizeLinear, which says the same: (byte - 114) / 62."""
    graph = model.graph
    transpose, cast, subtract, multiply = [n for n in graph.node if n.op_type != "Constant"][:4]
    if [n.op_type for n in (transpose, cast, subtract, multiply)] != ["Transpose", "Cast", "Sub", "Mul"]:
        raise SystemExit("the graph does not begin as export.py writes it: Transpose, Cast, Sub, Mul")
    graph.initializer.extend([
        numpy_helper.from_array(np.float32(1 / DEVIATION), "image_scale"),
        numpy_helper.from_array(np.uint8(MEAN), "image_zero"),
    ])
    first = helper.make_node("DequantizeLinear", [transpose.output[0], "image_scale", "image_zero"], [multiply.output[0]])
    unused = set(subtract.input[1:]) | set(multiply.input[1:])
    rest = [n for n in graph.node if n not in (transpose, cast, subtract, multiply) and not unused & set(n.output)]
    del graph.node[:]
    graph.node.extend([transpose, first, *rest])


def points(graph):
    """Names of the maps to quantise: whatever a filter, a sum, a resize or a mean leaves, after its ReLU if it has one.

    What comes after the last ReLU, the head and the network's output, stays as it is: 256 steps are too few for it.
    """
    users = {}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    end = max(i for i, node in enumerate(graph.node) if node.op_type == "Relu")
    chosen = []
    for node in graph.node[:end + 1]:
        name = node.output[0]
        if node.op_type not in ("Conv", "Relu", "Add", "Resize", "GlobalAveragePool"):
            continue
        if node.op_type != "Relu" and [u.op_type for u in users[name]] == ["Relu"]:
            continue
        chosen.append(name)
    return chosen


def ranges(model, names, pictures):
    """{name: (least, largest)} of the maps over the pictures, without the TAIL at each end."""
    found = {name: (0.0, 0.0) for name in names}
    for i, picture in enumerate(pictures):
        print(f"\rcalibrating {i + 1} of {len(pictures)} ", end="", flush=True)
        for name, value in run_graph(model, picture[None], names).items():
            flat = value.flatten()
            ends = max(1, int(TAIL * flat.numel()))
            least, largest = flat.kthvalue(ends).values, flat.kthvalue(flat.numel() - ends + 1).values
            found[name] = min(found[name][0], float(least)), max(found[name][1], float(largest))
    print()
    return found


def quantised(model, found):
    """The model with QuantizeLinear and DequantizeLinear pairs, which runtimes fuse into whole-number operators.

    Maps become uint8 with one scale each, filters int8 with a scale for each output channel, biases int32.
    """
    graph, nodes, scales = model.graph, [], {}
    weights = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    renamed = {}

    def constant(name, value):
        graph.initializer.append(numpy_helper.from_array(value, name))
        return name

    scales[next(n for n in graph.node if n.op_type == "DequantizeLinear").output[0]] = 1 / DEVIATION
    for node in graph.node:
        inputs = list(node.input)
        node.input[:] = [renamed.get(name, name) for name in inputs]
        if node.op_type == "Conv" and inputs[0] in scales and len(inputs) == 3:
            _, weight, bias = inputs
            step = np.maximum(np.abs(weights[weight]).max((1, 2, 3)) / WEIGHT, 1e-12).astype(np.float32)
            whole = np.clip(np.rint(weights[weight] / step[:, None, None, None]), -WEIGHT, WEIGHT).astype(np.int8)
            fine = (step * np.float32(scales[inputs[0]])).astype(np.float32)
            offset = np.rint(weights[bias] / fine).astype(np.int32)
            for name, value, scale in ((weight, whole, step), (bias, offset, fine)):
                zero = constant(name + "_zero", np.zeros(len(scale), value.dtype))
                nodes.append(helper.make_node(
                    "DequantizeLinear", [constant(name + "_whole", value), constant(name + "_scale", scale), zero],
                    [name + "_float"], axis=0))
            node.input[1:] = [weight + "_float", bias + "_float"]
        nodes.append(node)
        name = node.output[0]
        if name in found:
            least, largest = found[name]
            scale = np.float32(max(largest - least, 1e-6) / 255)
            zero = np.uint8(np.clip(np.rint(-least / scale), 0, 255))
            scales[name] = scale
            facts = [constant(name + "_scale", scale), constant(name + "_zero", zero)]
            nodes.append(helper.make_node("QuantizeLinear", [name, *facts], [name + "_whole"]))
            nodes.append(helper.make_node("DequantizeLinear", [name + "_whole", *facts], [name + "_float"]))
            renamed[name] = name + "_float"
    used = {name for node in nodes for name in node.input}
    kept = [t for t in graph.initializer if t.name in used]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(kept)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    data.add_arguments(parser)
    models = data.REPOSITORY / "models"
    parser.add_argument("--network", type=pathlib.Path, default=models / "pocketdepth.onnx", help="default: models/pocketdepth.onnx")
    parser.add_argument("--out", type=pathlib.Path, default=models / "pocketdepth_int8.onnx",
                        help="default: models/pocketdepth_int8.onnx")
    parser.add_argument("--pictures", type=int, default=32, help="photographs to calibrate on (default 32)")
    options = parser.parse_args()
    torch.set_num_threads(2)
    photographs = data.load(options.data, options.cache)
    chosen = photographs.training[::max(1, len(photographs.training) // options.pictures)][:options.pictures]
    model = restored(onnx.load(str(options.network)))
    names = points(model.graph)
    found = ranges(model, names, photographs.pictures[chosen])
    with_exact_input(model)
    quantised(model, found)
    del model.graph.value_info[:]  # it names maps that are no more
    # So that a test can tell a file that was left behind when the network was trained on.
    helper.set_model_props(model, {"quantised_from_sha256": hashlib.sha256(options.network.read_bytes()).hexdigest()})
    onnx.checker.check_model(model, full_check=True)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(options.out))
    print(f"{options.out}: {options.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
