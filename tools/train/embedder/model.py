"""The embedder: a small residual network of plain 3x3 convolutions, 112x112 RGB to 128 numbers.

Plain convolutions with few channels train several times faster on a CPU than depthwise ones of the same accuracy.
"""

import torch
from torch import nn

EDGE = 112
DIMENSIONS = 128


def convolution(inputs, outputs, size=3, stride=1):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False),
        nn.BatchNorm2d(outputs),
    )


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.first = convolution(width, width)
        self.second = convolution(width, width)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.relu(x + self.second(self.relu(self.first(x))))


class Embedder(nn.Module):
    """Maps pixels as cpn gives them, (value - mean) / std, to an embedding that is not normalised."""

    def __init__(self, widths=(32, 64, 144), blocks=(1, 2, 2), summary=32):
        super().__init__()
        layers = [convolution(3, widths[0], 7, 4), nn.ReLU(inplace=True)]
        for stage, (width, count) in enumerate(zip(widths, blocks)):
            if stage > 0:
                layers += [convolution(widths[stage - 1], width, 3, 2), nn.ReLU(inplace=True)]
            layers += [Block(width) for _ in range(count)]
        # Few channels, but each place on the face keeps weights of its own.
        layers += [convolution(widths[-1], summary, 1), nn.Flatten()]
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(summary * (EDGE // 16) ** 2, DIMENSIONS)

    def forward(self, x):
        return self.head(self.features(x))
