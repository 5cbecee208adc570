"""The network as it learns: with a coarse head, and with what reads the teacher's maps off its own."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import teacher
from augment import cut
from network import DEVIATION, MEAN, PocketDepth


class Trainee(nn.Module):
    """The network with what it needs while it learns: a coarse head, and what reads the teacher's maps off its own."""

    def __init__(self):
        super().__init__()
        self.network = PocketDepth()
        self.coarse = nn.Conv2d(64, 1, 3, padding=1)
        channels = {name: shape[0] for name, (_, shape) in teacher.MAPS.items()}
        self.hints = nn.ModuleDict({"sixteenth": nn.Conv2d(96, channels["sixteenth"], 1),
                                    "eighth": nn.Conv2d(64, channels["eighth"], 1)})

    def layout(self, x):
        """Normalised float32 [N, 3, H, W] to a coarse disparity [N, 1, H/8, W/8] and the maps to give hints on.

        Without gradients for the maps of more than an eighth of the size: they have little part in the layout.
        """
        with torch.no_grad():
            quarter = self.network.detail(x)[1]
        sixteenth, eighth = self.network.layout(quarter)
        return self.coarse(eighth), {"sixteenth": sixteenth, "eighth": eighth}

    def whole(self, x):
        """The same with the disparity proper, [N, 1, H, W]; everything learns."""
        half, quarter = self.network.detail(x)
        sixteenth, eighth = self.network.layout(quarter)
        return self.network.finish(half, quarter, eighth), {"sixteenth": sixteenth, "eighth": eighth}

    def train(self, mode=True, coarse=False):
        """As of every module; with coarse, the layers that do not learn keep their batch statistics."""
        super().train(mode)
        if coarse:
            self.network.stem.eval()
            self.network.quarter.eval()
        return self

    def coarsely(self, image):
        """What layout makes of uint8 NHWC pictures, brought to their size: float32 [N, 1, H, W]."""
        x = (image.permute(0, 3, 1, 2).float() - MEAN) / DEVIATION
        return F.interpolate(self.layout(x)[0], scale_factor=8.0, mode="bilinear", align_corners=False)

    def missed(self, maps, stored, rows, where):
        """What cannot be read of the teacher's maps off maps: mean squares, about 1 for nothing; 0 without hints.

        stored as teacher.load gives it, or None; rows as in batches.Batch; where the pictures were cut, see augment.cuts.
        """
        photographs = np.flatnonzero(rows >= 0)
        total = 0.0
        if stored is None or not len(photographs):
            return total
        for name, features in stored.items():
            read = self.hints[name](maps[name][photographs])
            wanted = torch.from_numpy(features[rows[photographs]].astype(np.float32)).to(read.device)
            total = total + F.mse_loss(read, cut(wanted, where[photographs], *read.shape[2:]))
        return total
