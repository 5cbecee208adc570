"""The network: an encoder of inverted residuals, a light decoder with skip connections.

The shape follows MobileNetV2 (Sandler et al. 2018: inverted residuals with a
linear bottleneck) for the encoder, with 5x5 depthwise filters in the deeper
stages as in MobileNetV3 (Howard et al. 2019), and FastDepth (Wofk et al. 2019)
for the decoder: depthwise-separable convolutions, skips added, not concatenated.

Only operators that every runtime and NPU compiler knows are used: convolution,
ReLU, addition, global average pooling, bilinear resize by two (and, for speed, a
squeeze that an NPU compiler can leave out).
"""

import copy

import torch
from torch import nn
from torch.nn import functional as F

HEIGHT, WIDTH = 256, 320
"""Size of the exported network's input; training also runs at smaller sizes."""

MEAN, DEVIATION = 114.0, 62.0
"""Bring bytes to about mean 0 and deviation 1; the first batch normalisation does the rest."""


def conv(inputs, outputs, kernel=1, stride=1, groups=1, relu=True):
    """Convolution, batch normalisation and, unless relu is False, ReLU."""
    layers = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    if relu:
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


class InvertedResidual(nn.Module):
    """Widen (1x1), filter (depthwise), narrow (1x1, linear); plus the input where shapes agree."""

    def __init__(self, inputs, wide, outputs, kernel=3, stride=1):
        super().__init__()
        self.shortcut = stride == 1 and inputs == outputs
        self.layers = nn.Sequential(
            conv(inputs, wide),
            conv(wide, wide, kernel, stride, groups=wide),
            conv(wide, outputs, relu=False),
        )

    def forward(self, x):
        y = self.layers(x)
        return x + y if self.shortcut else y


class GlobalContext(nn.Module):
    """Adds what the whole picture says (its mean feature) to every place of the coarsest map.

    Whether a picture is a room, a street or a close-up decides how depth runs
    through it, and a small network's filters do not reach across the picture.
    """

    def __init__(self, channels):
        super().__init__()
        self.mix = nn.Sequential(nn.Conv2d(channels, channels, 1), nn.ReLU(inplace=True),
                                 nn.Conv2d(channels, channels, 1))

    def forward(self, x):
        return x + self.mix(F.adaptive_avg_pool2d(x, 1))


class Up(nn.Module):
    """One decoder step: double the size, add the encoder's map of that size, filter.

    Channels are narrowed before the resize because the resize costs by the channel.
    """

    def __init__(self, inputs, skip, outputs, kernel=5):
        super().__init__()
        self.narrow = conv(inputs, outputs, relu=False)
        self.skip = conv(skip, outputs, relu=False)
        self.filter = nn.Sequential(
            nn.ReLU(inplace=True),
            conv(outputs, outputs, kernel, groups=outputs, relu=False),
            conv(outputs, outputs),
        )

    def forward(self, x, skip):
        x = F.interpolate(self.narrow(x), scale_factor=2.0, mode="bilinear", align_corners=False)
        return self.filter(x + self.skip(skip))


class PocketDepth(nn.Module):
    """Relative inverse depth of one picture.

    forward takes uint8 NHWC [N, H, W, 3], raw RGB 0..255, and returns float32
    NCHW [N, 1, H, W]: larger is nearer; scale and shift are unknown. H and W
    must be multiples of 32. The normalisation is inside, so that a caller
    cannot get it wrong.
    """

    def __init__(self):
        super().__init__()
        self.stem = conv(3, 16, 3, 2)
        # Dense where the map is large: a depthwise layer there is bound by memory, not by arithmetic.
        self.quarter = nn.Sequential(conv(16, 32, 3, 2), InvertedResidual(32, 96, 32))
        self.eighth = self._stage(32, 128, 48, 144, 2)
        # Most blocks where the map is small: nine tenths of what a smaller network
        # got wrong was the layout at large, and a block there costs little time.
        self.sixteenth = self._stage(48, 192, 96, 288, 6)
        self.last = nn.Sequential(self._stage(96, 384, 160, 480, 5), GlobalContext(160))
        self.up16 = Up(160, 96, 96)
        self.up8 = Up(96, 48, 64)
        self.up4 = Up(64, 32, 40)
        self.up2 = Up(40, 16, 16, kernel=3)
        # A filter per channel and a sum are one dense convolution to one channel, but
        # runtimes that compute channels by the sixteen do sixteen times the work for that.
        self.head = nn.Sequential(nn.Conv2d(16, 16, 3, padding=1, groups=16, bias=False), nn.Conv2d(16, 1, 1))

    @staticmethod
    def _stage(inputs, first_wide, outputs, wide, repeats):
        blocks = [InvertedResidual(inputs, first_wide, outputs, 5, stride=2)]
        blocks += [InvertedResidual(outputs, wide, outputs, 5) for _ in range(repeats)]
        return nn.Sequential(*blocks)

    def forward(self, image):
        # Transposing bytes moves a quarter of the memory that transposing floats would.
        return self.disparity((image.permute(0, 3, 1, 2).float() - MEAN) * (1.0 / DEVIATION))

    def detail(self, x):
        """Normalised float32 NCHW [N, 3, H, W] to its maps [N, 16, H/2, W/2] and [N, 32, H/4, W/4]."""
        half = self.stem(x)
        return half, self.quarter(half)

    def layout(self, quarter):
        """The quarter map to maps that know the whole picture: [N, 96, H/16, W/16] and [N, 64, H/8, W/8]."""
        eighth = self.eighth(quarter)
        sixteenth = self.sixteenth(eighth)
        y = self.up16(self.last(sixteenth), sixteenth)
        return y, self.up8(y, eighth)

    def finish(self, half, quarter, eighth):
        """The maps of detail and the last of layout to the disparity [N, 1, H, W]."""
        y = self.up2(self.up4(eighth, quarter), half)
        # Without its channel and with it again: else ONNX Runtime, which computes channels by the
        # sixteen on x86, resizes sixteen maps for the one that there is (half a millisecond).
        y = self.head(y).squeeze(1).unsqueeze(1)
        return F.interpolate(y, scale_factor=2.0, mode="bilinear", align_corners=False)

    def disparity(self, x):
        """The network proper: normalised float32 NCHW [N, 3, H, W] to [N, 1, H, W]."""
        half, quarter = self.detail(x)
        return self.finish(half, quarter, self.layout(quarter)[1])


def folded(network):
    """A copy of the network, in eval mode, with every batch normalisation inside its convolution."""
    network = copy.deepcopy(network).eval()
    for module in list(network.modules()):
        if isinstance(module, nn.Sequential) and len(module) > 1 and isinstance(module[1], nn.BatchNorm2d):
            module[0] = nn.utils.fusion.fuse_conv_bn_eval(module[0], module[1])
            module[1] = nn.Identity()
    return network


def cost(network, height=HEIGHT, width=WIDTH):
    """(parameters of the folded network, multiply-adds of its convolutions for one picture)."""
    network, total = folded(network), [0]

    def count(module, inputs, output):
        total[0] += module.weight.numel() * output.shape[2] * output.shape[3]

    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(count)
    with torch.no_grad():
        network(torch.zeros(1, height, width, 3, dtype=torch.uint8))
    return sum(p.numel() for p in network.parameters()), total[0]
