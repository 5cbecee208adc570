"""The loss: distance of relative inverse depths, blind to each picture's scale and shift."""

import torch
from torch.nn import functional as F


def normalised(x):
    """x [N, H, W] less its median, over its mean absolute deviation, per picture; and both, [N, 1, 1] each.

    Equations 5 and 6 of Ranftl et al. 2020 (MiDaS). A least-squares fit would let
    the sign of a picture flip while the network still knows nothing; this cannot.
    """
    n = len(x)
    shift = x.reshape(n, -1).median(1).values.view(n, 1, 1)
    scale = (x - shift).abs().mean((1, 2), keepdim=True).clamp(min=1e-4)
    return (x - shift) / scale, shift, scale


def gradients(residual, scales=4):
    """Mean absolute slope of residual [N, H, W], added up over scales, each half the size of the one before.

    Equation 11 of Ranftl et al. 2020, after Li and Snavely 2018 (MegaDepth): it
    keeps edges sharp and surfaces smooth. We halve by averaging, not by skipping.
    """
    total = 0.0
    for scale in range(scales):
        if scale:
            residual = F.avg_pool2d(residual.unsqueeze(1), 2).squeeze(1)
        total = total + (residual[:, :, 1:] - residual[:, :, :-1]).abs().mean() \
                      + (residual[:, 1:, :] - residual[:, :-1, :]).abs().mean()
    return total


GRADIENT_WEIGHT = 0.5
ANCHOR_WEIGHT = 0.1


def depth_loss(prediction, label):
    """Loss (a scalar) of prediction [N, 1, H, W] against label [N, 1, H, W] in 0..1; float32.

    The prediction is brought to the label's median and deviation; the rest is
    measured in the label's units, so that it compares with the figure that we
    validate by. The small anchor on the raw output holds the network's own scale
    near 0..1: the other terms leave it free to drift.
    """
    prediction, label = prediction.squeeze(1), label.squeeze(1)
    _, shift, scale = normalised(label)
    residual = normalised(prediction)[0] * scale + shift - label
    anchor = (prediction - label).abs().mean()
    return residual.abs().mean() + GRADIENT_WEIGHT * gradients(residual) + ANCHOR_WEIGHT * anchor
