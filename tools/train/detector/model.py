"""The network: a feature pyramid of depthwise blocks that answers in YuNet's terms."""
import torch
from torch import nn
from torch.nn import functional as F

STRIDES = (8, 16, 32)
"""Steps of the three grids of cells, in pixels of the input."""

SCALE = 64.0
"""Pixels are divided by it, so that weights of the usual size fit; export folds it into the first of them."""

FIELDS = 15
"""Numbers of a cell: score (a logit), box (4) and five points (10), in grid steps from the cell's corner."""


def conv(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, relu: bool = True) -> nn.Sequential:
    """A convolution, normalised; kernels of even size are as large as their stride and need no padding."""
    padding = kernel // 2 if kernel % 2 else 0
    layers = [
        nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, nn.ReLU(inplace=True)) if relu else nn.Sequential(*layers)


class Separable(nn.Module):
    """A depthwise convolution and a mix of the channels, added to its input where the shapes allow."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1):
        super().__init__()
        self.depthwise = conv(inputs, inputs, kernel, stride, groups=inputs, relu=False)
        self.pointwise = conv(inputs, outputs, 1)
        self.residual = inputs == outputs and stride == 1

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.pointwise(self.depthwise(x))
        return x + y if self.residual else y


class Detector(nn.Module):
    """Takes BGR pictures over SCALE, their edges multiples of 32; gives a map of FIELDS for each of STRIDES."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(
            conv(3, 16, 3, 2),
            conv(16, 32, 3, 2),
        )
        self.eighth = nn.Sequential(conv(32, 64, 2, 2), *(Separable(64, 64) for _ in range(2)))
        self.sixteenth = nn.Sequential(Separable(64, 96, 3, 2), *(Separable(96, 96) for _ in range(4)))
        self.thirtysecond = nn.Sequential(Separable(96, 128, 3, 2), *(Separable(128, 128) for _ in range(2)))
        self.laterals = nn.ModuleList(conv(channels, 64, 1, relu=False) for channels in (64, 96, 128))
        self.merge = nn.ModuleList(Separable(64, 64) for _ in STRIDES)
        # The finest grid has most of the cells: a block more there would cost as much as all of the coarse levels.
        self.heads = nn.ModuleList(
            nn.Sequential(*([] if stride == 8 else [Separable(64, 64)]), nn.Conv2d(64, FIELDS, 1)) for stride in STRIDES
        )
        for head in self.heads:
            nn.init.normal_(head[-1].weight, std=0.01)
            nn.init.zeros_(head[-1].bias)
            head[-1].bias.data[0] = -4.0  # faces are rare: begin by expecting none
            head[-1].bias.data[3:5] = 1.0  # and about three steps large

    def forward(self, pictures: torch.Tensor) -> list[torch.Tensor]:
        eighth = self.eighth(self.stem(pictures))
        sixteenth = self.sixteenth(eighth)
        thirtysecond = self.thirtysecond(sixteenth)
        large = self.merge[2](self.laterals[2](thirtysecond))
        middle = self.merge[1](self.laterals[1](sixteenth) + F.interpolate(large, scale_factor=2.0))
        small = self.merge[0](self.laterals[0](eighth) + F.interpolate(middle, scale_factor=2.0))
        return [head(level) for head, level in zip(self.heads, (small, middle, large))]
