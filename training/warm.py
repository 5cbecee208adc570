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
from network import DEVIATION, MEAN, InvertedResidual, folded
from storage import restored


def _pairs(network):
    """Yields every (convolution, batch normalisation) and the convolution's name."""
    for name, module in network.named_modules():
        if isinstance(module, nn.Sequential) and len(module) > 1 and isinstance(module[1], nn.BatchNorm2d):
            yield f"{name}.0", module[0], module[1]


@torch.no_grad()
def begin_with(network, path, photographs, generator, batches=32):
    """Gives network, in place, the weights of the ONNX file at path; raises ValueError if they do not fit.

    Residual blocks that the file lacks begin with nothing to add, so that a network can be
    trained, made deeper, and trained on.
    """
    model = restored(onnx.load(str(path)))
    stored = {i.name: torch.from_numpy(numpy_helper.to_array(i).copy()) for i in model.graph.initializer}
    if "head.weight" in stored:  # of before the head was split: a filter per channel, and their sum
        stored["head.0.weight"] = stored.pop("head.weight").transpose(0, 1)
        stored["head.1.weight"], stored["head.1.bias"] = torch.ones(1, 16, 1, 1), stored.pop("head.bias")
    wanted, added = folded(network).state_dict(), set()
    for name, module in network.named_modules():
        if isinstance(module, InvertedResidual) and module.shortcut and f"{name}.layers.0.0.weight" not in stored:
            added.add(f"{name}.")
            module.layers[2][1].weight.zero_()
    known = {name: tensor for name, tensor in wanted.items() if not any(name.startswith(block) for block in added)}
    for name, tensor in known.items():
        if name not in stored or stored[name].shape != tensor.shape:
            raise ValueError(f"{path}: expected {name} with the shape {list(tensor.shape)}; it is of another network")
    state = network.state_dict()
    for name in known:
        if name in state:
            state[name].copy_(stored[name])  # a convolution that has a normalisation has no bias of its own
    paired = [(name, norm) for name, _, norm in _pairs(network) if f"{name}.bias" in known]
    for name, norm in paired:
        norm.running_mean.zero_()
        norm.running_var.fill_(1 - norm.eps)
        norm.weight.fill_(1)
        norm.bias.copy_(stored[f"{name}.bias"])
    found = {name: (mean, variance) for name, mean, variance in _statistics(network, photographs, generator, batches)}
    for name, norm in paired:
        mean, variance = found[name]
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.copy_((variance + norm.eps).sqrt())
        norm.bias.copy_(stored[f"{name}.bias"] + mean)


def _statistics(network, photographs, generator, batches, batch=8):
    """(name, mean, variance) of what comes out of each convolution, over augmented photographs."""
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
        x, _, _ = augment(pictures, labels, height, width, generator)
        network.disparity((x - MEAN) / DEVIATION)
    for hook in hooks:
        hook.remove()
    network.train()
    for name, (mean, squares) in sums.items():
        yield name, mean.float(), (squares - mean**2).clamp(min=1e-8).float()
