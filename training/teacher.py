"""What the teacher sees inside: its feature maps of the training photographs, kept in two flat files.

The student learns to let these be read off its own maps ("hints", Romero et al. 2015, FitNets).
A label is one map; these say at every place what the teacher made of it, which teaches the
layout of a scene sooner. They steer the training only: nothing of the teacher gets into the network.
"""

import pathlib

import numpy as np
import onnx
import torch

from graph import run_graph

MAPS = {
    "sixteenth": ("/encoder/stage3/features.15/Concat_output_0", (192, 16, 20)),
    "eighth": ("/decoder/decoder3/last_conv/last_conv.2/Relu_output_0", (96, 32, 40)),
}
"""Of TCMonoDepth's small network: the end of the encoder, and the first map of the decoder."""


@torch.no_grad()
def _features(model, pictures):
    """{name: float32 [N, C, h, w]} of pictures uint8 [N, 256, 320, 3]: means of the picture and the mirrored one.

    The mean does not depend on which of both it was, as what is asked of the student should not.
    """
    both = np.concatenate([pictures, pictures[:, :, ::-1]]).transpose(0, 3, 1, 2).astype(np.float32)
    maps = run_graph(model, both, [node for node, _ in MAPS.values()])
    halves = {name: maps[node].chunk(2) for name, (node, _) in MAPS.items()}
    return {name: (plain + mirrored.flip(3)) / 2 for name, (plain, mirrored) in halves.items()}


def load(network, photographs, cache, batch=16):
    """{name: float16 [len(photographs.training), C, h, w]}, of mean 0 and deviation 1 per channel.

    Made from the ONNX file network at the first call (minutes), then read from cache. Row i is that
    of the photograph photographs.training[i].
    """
    shapes = {name: (len(photographs.training),) + shape for name, (_, shape) in MAPS.items()}
    paths = {name: cache / f"teacher-{name}.npy" for name in MAPS}
    if all(path.is_file() for path in paths.values()):
        found = {name: np.load(path, mmap_mode="r") for name, path in paths.items()}
        if all(found[name].shape == shapes[name] for name in MAPS):
            return found
    model = onnx.load(str(network))
    spread = photographs.training[np.linspace(0, len(photographs.training) - 1, 6 * batch).astype(int)]
    pieces = [_features(model, photographs.pictures[piece]) for piece in spread.reshape(6, batch)]
    sample = {name: torch.cat([piece[name] for piece in pieces]) for name in MAPS}
    mean = {name: f.mean((0, 2, 3), keepdim=True) for name, f in sample.items()}
    deviation = {name: f.std((0, 2, 3), keepdim=True).clamp(min=1e-3) for name, f in sample.items()}
    parts = {name: pathlib.Path(f"{path}.part") for name, path in paths.items()}
    files = {name: np.lib.format.open_memmap(part, "w+", np.float16, shapes[name]) for name, part in parts.items()}
    for i in range(0, len(photographs.training), batch):
        print(f"\rthe teacher looks at photograph {i} of {len(photographs.training)} ", end="", flush=True)
        for name, f in _features(model, photographs.pictures[photographs.training[i:i + batch]]).items():
            files[name][i:i + batch] = ((f - mean[name]) / deviation[name]).clamp(-20, 20).numpy()
    print()
    for name, part in parts.items():
        files[name].flush()
        part.replace(paths[name])
    return {name: np.load(path, mmap_mode="r") for name, path in paths.items()}
