#!/usr/bin/env python3
"""Writes models/pocketdepth.onnx and models/pocketdepth_reference.json from trained weights. See README.md."""

import argparse
import copy
import hashlib
import json
import pathlib
import warnings

import numpy as np
import onnx
import torch

import data
from evaluate import load_weights
from graph import run_graph
from network import HEIGHT, WIDTH, cost, folded
from storage import LEAST, halved

NEAR_ENOUGH = 1e-4
"""Greatest difference allowed between two ways to compute one disparity (which spans about 0..1)."""

ROUNDING = 1e-2
"""Greatest difference allowed by storing the weights as float16, on inputs that are nothing like pictures."""


def reference_input():
    """uint8 [1, 256, 320, 3]: byte i of the flat array is (i*7 + (i/320)*13) mod 251, in whole numbers."""
    i = np.arange(HEIGHT * WIDTH * 3, dtype=np.int64)
    return ((i * 7 + (i // 320) * 13) % 251).astype(np.uint8).reshape(1, HEIGHT, WIDTH, 3)


def sample_places(count=64):
    """count (row, column) pairs spread over the map."""
    return [((37 * k + 5) % HEIGHT, (53 * k + 11) % WIDTH) for k in range(count)]


def write_onnx(network, path):
    """Exports a folded network with static shapes and checks the file's structure."""
    with warnings.catch_warnings():
        # Torch 1.13 warns that its own constants lack shapes; the checker below looks at the finished graph.
        warnings.filterwarnings("ignore", "The shape inference of prim::Constant")
        torch.onnx.export(network, torch.from_numpy(reference_input()), str(path), opset_version=13,
                          input_names=["image"], output_names=["disparity"])
    model = onnx.load(str(path))
    model.doc_string = ("pocketdepth: relative inverse depth of one picture. image: raw RGB bytes, 320x256, NHWC. "
                        "disparity: larger is nearer, scale and shift unknown.")
    halved(model)
    model = onnx.shape_inference.infer_shapes(model)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))


def rounded(fold):
    """A copy of a folded network with its filters rounded to float16, as they are stored."""
    copied = copy.deepcopy(fold)
    for p in copied.parameters():
        if p.ndim == 4 and p.numel() >= LEAST:
            p.data = p.data.half().float()
    return copied


def greatest_differences(network, fold, path):
    """Greatest differences over some inputs: by folding, by rounding, and between the rounded network and the ONNX graph."""
    model, stored = onnx.load(str(path)), rounded(fold)
    noise = np.random.default_rng(1).integers(0, 256, (1, HEIGHT, WIDTH, 3), np.uint8)
    flat = np.full((1, HEIGHT, WIDTH, 3), 128, np.uint8)
    worst = np.zeros(3)
    for image in (reference_input(), noise, flat):
        with torch.no_grad():
            maps = [n(torch.from_numpy(image)) for n in (network, fold, stored)] + [run_graph(model, image)]
        worst = np.maximum(worst, [float((a - b).abs().max()) for a, b in zip(maps, maps[1:])])
    return worst


def write_reference(fold, onnx_path, path):
    """Writes what another runtime must find: sampled outputs for an input that a formula makes."""
    with torch.no_grad():
        output = rounded(fold)(torch.from_numpy(reference_input()))[0, 0].numpy()
    reference = {
        "onnx_sha256": hashlib.sha256(onnx_path.read_bytes()).hexdigest(),
        "input": "uint8 [1,256,320,3]; byte i of the flat array is (i*7 + (i/320)*13) mod 251 in whole numbers",
        "output_min": float(output.min()),
        "output_max": float(output.max()),
        "output_mean": float(output.mean(dtype=np.float64)),
        "tolerance": 1e-3,
        "samples": [{"row": r, "col": c, "value": round(float(output[r, c]), 6)} for r, c in sample_places()],
    }
    path.write_text(json.dumps(reference, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=pathlib.Path, nargs="?", help="best.pt of a training run",
                        default=data.REPOSITORY / "training" / "runs" / "pocketdepth" / "best.pt")
    parser.add_argument("--models", type=pathlib.Path, default=data.REPOSITORY / "models",
                        help="folder to write to (default: models)")
    options = parser.parse_args()
    network = load_weights(options.weights)
    fold = folded(network)
    options.models.mkdir(parents=True, exist_ok=True)
    path = options.models / "pocketdepth.onnx"
    write_onnx(fold, path)
    folding, rounding, exporting = greatest_differences(network, fold, path)
    parameters, products = cost(network)
    print(f"{path}: {path.stat().st_size} bytes, {parameters} parameters, {products / 1e6:.0f} million multiply-adds")
    print(f"greatest difference: by folding {folding:.1e}, by float16 weights {rounding:.1e}, by export {exporting:.1e}")
    if max(folding, exporting) > NEAR_ENOUGH or rounding > ROUNDING:
        raise SystemExit(f"the exported network is not the trained one: over {NEAR_ENOUGH}, or {ROUNDING} by rounding")
    write_reference(fold, path, options.models / "pocketdepth_reference.json")


if __name__ == "__main__":
    main()
