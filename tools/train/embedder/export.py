"""Writes a trained embedder as ONNX: weights as float16, sums in float32.

    python3 export.py RUN/checkpoint.pt OUT.onnx

The exported network looks at the face and at its mirror image and adds what it sees.
"""

import argparse

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from model import EDGE, Embedder

# Smaller tensors are not worth a node that widens them.
FEWEST_HALVED = 256


class WithMirrorImage(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        both = self.model(torch.cat([x, x.flip(3)]))
        return both[:1] + both[1:]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("checkpoint")
    arguments.add_argument("out")
    options = arguments.parse_args()
    model = Embedder()
    model.load_state_dict(torch.load(options.checkpoint)["average"])
    export(WithMirrorImage(fused(model.eval())), options.out)


def fused(model):
    """Batch normalisation becomes part of the convolution before it."""
    for module in list(model.modules()):
        if isinstance(module, nn.Sequential):
            for i in range(len(module) - 1):
                if isinstance(module[i], nn.Conv2d) and isinstance(module[i + 1], nn.BatchNorm2d):
                    module[i], module[i + 1] = fuse_conv_bn_eval(module[i], module[i + 1]), nn.Identity()
    return model


def export(model, path):
    example = torch.zeros(1, 3, EDGE, EDGE)
    torch.onnx.export(model, example, path, opset_version=11, input_names=["input"], output_names=["output"])
    graph = onnx.load(path)
    halve(graph.graph)
    onnx.checker.check_model(graph)
    onnx.save(graph, path)


def halve(graph):
    """Stores weights as float16 behind a Cast to float32, which runtimes fold away when they load the file."""
    casts = []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < FEWEST_HALVED:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


if __name__ == "__main__":
    main()
