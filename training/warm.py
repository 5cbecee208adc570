"""Begins a training run with the weights of an exported network.

The ONNX file has every batch normalisation folded into its convolution, while
training needs them apart: a few batches tell what each normalisation sees, and
its statistics, scale and offset are set so that together they change nothing.
"""

import onnx
import torch
from onnx import numpy_helper
from torch import nn

from augment import augment
from network import DEVIATION, MEAN, folded


def _pairs(network):
    """Yields every (convolution, batch normalisation) and the convolution's name."""
    for name, module in network.named_modules():
        if isinstance(module, nn.Sequential) and len(module) > 1 and isinstance(module[1], nn.BatchNorm2d):
            yield f"{name}.0", module[0], module[1]


@torch.no_grad()
def begin_with(network, path, photographs, generator, batches=32):
    """Gives network, in place, the weights of the ONNX file at path; raises ValueError if they do not fit."""
    stored = {i.name: torch.from_numpy(numpy_helper.to_array(i).copy()) for i in onnx.load(str(path)).graph.initializer}
    wanted = folded(network).state_dict()
    for name, tensor in wanted.items():
        if name not in stored or stored[name].shape != tensor.shape:
            raise ValueError(f"{path}: expected {name} with the shape {list(tensor.shape)}; it is of another network")
    paired = {name for name, _, _ in _pairs(network)}
    state = network.state_dict()
    for name in wanted:
        if name in state:
            state[name].copy_(stored[name])  # a convolution that has a normalisation has no bias of its own
    offsets = {name: stored[f"{name}.bias"] for name in paired}
    for name, _, norm in _pairs(network):
        norm.running_mean.zero_()
        norm.running_var.fill_(1 - norm.eps)
        norm.weight.fill_(1)
        norm.bias.copy_(offsets[name])
    for name, norm, mean, variance in _statistics(network, photographs, generator, batches):
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.copy_((variance + norm.eps).sqrt())
        norm.bias.copy_(offsets[name] + mean)


def _statistics(network, photographs, generator, batches, batch=8):
    """(name, normalisation, mean, variance) of what comes out of each convolution, over augmented photographs."""
    sums = {name: [0.0, 0.0] for name, _, _ in _pairs(network)}

    def listen(name):
        def hear(module, inputs, output):
            sums[name][0] += output.mean((0, 2, 3)).double() / batches
            sums[name][1] += output.pow(2).mean((0, 2, 3)).double() / batches
        return hear

    hooks = [conv.register_forward_hook(listen(name)) for name, conv, _ in _pairs(network)]
    device, (height, width) = next(network.parameters()).device, photographs.pictures.shape[1:3]
    network.eval()
    step = max(1, len(photographs.training) // (batch * batches))
    for i in range(batches):
        chosen = photographs.training[i * step::step * batches][:batch]
        pictures, labels = (torch.from_numpy(a[chosen]).to(device) for a in (photographs.pictures, photographs.labels))
        x, _ = augment(pictures, labels, height, width, generator)
        network.disparity((x - MEAN) / DEVIATION)
    for hook in hooks:
        hook.remove()
    network.train()
    for name, _, norm in _pairs(network):
        mean, squares = sums[name]
        yield name, norm, mean.float(), (squares - mean**2).clamp(min=1e-8).float()
