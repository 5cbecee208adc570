"""Random changes to a batch, on tensors: where the picture is cut, its colours, and a camera's faults.

The training photographs are clean and mostly upright; a service gets tilted,
dim, blurred, noisy and hard-compressed ones.
"""

import math

import torch
from torch.nn import functional as F


def _uniform(generator, low, high, *shape):
    return torch.rand(*shape, generator=generator) * (high - low) + low


def cut(pictures, labels, height, width, generator):
    """Crop, mirror, tilt and resize, the same for a picture and its label.

    pictures float32 [N, 3, H, W], labels float32 [N, 1, H, W]; both come back
    at height x width. Crops keep 57 to 100 % of each side; a third of the pictures are
    tilted by up to 10 degrees (what falls outside is filled by reflection).
    """
    n, aspect = len(pictures), pictures.shape[3] / pictures.shape[2]
    size = _uniform(generator, 0.65, 1.0, n)
    stretch = torch.exp(_uniform(generator, -0.13, 0.13, n))
    sx, sy = (size * stretch).clamp(max=1), (size / stretch).clamp(max=1)
    flip = torch.randint(0, 2, (n,), generator=generator) * 2.0 - 1
    tilted = (torch.rand(n, generator=generator) < 0.33).float()
    angle = _uniform(generator, -1, 1, n) * tilted * math.radians(10)
    dx = _uniform(generator, -1, 1, n) * (1 - sx)
    dy = _uniform(generator, -1, 1, n) * (1 - sy)
    # Rotation happens in pixels, the grid in units of the half sides: hence the aspect.
    transform = torch.stack([
        torch.stack([flip * sx * angle.cos(), -sy * angle.sin() / aspect, dx], 1),
        torch.stack([flip * sx * angle.sin() * aspect, sy * angle.cos(), dy], 1),
    ], 1).to(pictures.device)
    grid = F.affine_grid(transform, [n, 3, height, width], align_corners=False)
    both = torch.cat([pictures, labels], 1)
    both = F.grid_sample(both, grid, "bilinear", "reflection", align_corners=False)
    return both[:, :3], both[:, 3:]


def colours(x, generator):
    """Changes, in place, light, contrast, saturation, white balance and gamma of pictures float32 [N, 3, H, W] in 0..255."""
    n, device = len(x), x.device
    gain = _uniform(generator, 0.7, 1.3, n, 1, 1, 1) * _uniform(generator, 0.9, 1.1, n, 3, 1, 1)
    gamma = torch.exp(_uniform(generator, -0.35, 0.35, n, 1, 1, 1))
    contrast = _uniform(generator, 0.7, 1.3, n, 1, 1, 1)
    saturation = _uniform(generator, 0.5, 1.4, n, 1, 1, 1)
    saturation[torch.rand(n, generator=generator) < 0.05] = 0
    x = x.clamp_(0, 255).div_(255).pow_(gamma.to(device)).mul_(255 * gain.to(device))
    grey = x.mean(1, keepdim=True)
    x.sub_(grey).mul_(saturation.to(device)).add_(grey)
    level = grey.mean((2, 3), keepdim=True)
    return x.sub_(level).mul_(contrast.to(device)).add_(level)


def _cosines():
    k = torch.arange(8.0)
    basis = torch.cos(math.pi * (2 * k[None] + 1) * k[:, None] / 16) / 2
    basis[0] /= math.sqrt(2)
    return basis


COSINES = _cosines()
COARSENESS = 10 + 9 * (torch.arange(8.0)[:, None] + torch.arange(8.0)[None])
"""Grows with frequency like the luminance table of the JPEG standard (ITU T.81, annex K)."""


def compress(x, strength):
    """What JPEG does to a picture: 8x8 cosine transform, rounding, back. strength float32 [N]; x [N, 3, H, W]."""
    n, c, h, w = x.shape
    basis, step = COSINES.to(x.device), COARSENESS.to(x.device) * strength.view(n, 1, 1, 1, 1, 1).to(x.device)
    blocks = x.reshape(n, c, h // 8, 8, w // 8, 8).transpose(3, 4)
    waves = basis @ blocks @ basis.T
    blocks = basis.T @ ((waves / step).round() * step) @ basis
    return blocks.transpose(3, 4).reshape(n, c, h, w)


def faults(x, generator):
    """Blur for a fifth of the pictures, noise for a quarter, compression for a fifth; x [N, 3, H, W] in 0..255."""
    n = len(x)
    chance = torch.rand(3, n, generator=generator)
    blurred = chance[0] < 0.2
    if blurred.any():
        soft = F.avg_pool2d(x[blurred], 3, 1, 1, count_include_pad=False)
        x[blurred] = torch.lerp(x[blurred], soft, _uniform(generator, 0.3, 1, int(blurred.sum()), 1, 1, 1).to(x.device))
    noisy = chance[1] < 0.25
    if noisy.any():
        amount = _uniform(generator, 1, 12, int(noisy.sum()), 1, 1, 1).to(x.device)
        x[noisy] += torch.randn(x[noisy].shape, generator=generator).to(x.device) * amount
    coarse = chance[2] < 0.2
    if coarse.any():
        x[coarse] = compress(x[coarse], _uniform(generator, 0.4, 2, int(coarse.sum())))
    return x


def augment(pictures, labels, height, width, generator):
    """A training batch.

    pictures uint8 [N, H, W, 3] RGB, labels uint8 [N, H, W]; generator is a CPU torch.Generator.
    Returns pictures float32 [N, 3, height, width], whole numbers 0..255 as a
    camera gives them, and labels float32 [N, 1, height, width] in 0..1.
    """
    x = pictures.permute(0, 3, 1, 2).float()
    x, y = cut(x, labels.unsqueeze(1).float() / 255, height, width, generator)
    x = faults(colours(x, generator), generator)
    return x.round().clamp(0, 255), y
