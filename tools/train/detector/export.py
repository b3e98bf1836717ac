"""Writes a trained network as ONNX with YuNet's inputs and outputs: python3 export.py CHECKPOINT MODEL.onnx"""
import argparse
import copy
import io

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from model import SCALE, STRIDES, Detector

KINDS = ("cls", "obj", "bbox", "kps")

FEW = 64
"""Weights of so few values stay float32: halving them saves nothing."""


class Answers(nn.Module):
    """The network's maps as lists of cells; one score stands for both class and object."""

    def __init__(self, detector: Detector):
        super().__init__()
        self.detector = detector

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, ...]:
        levels = [level.permute(0, 2, 3, 1).flatten(1, 2) for level in self.detector(pictures)]
        scores = [cells[:, :, :1].sigmoid() for cells in levels]
        boxes, points = [cells[:, :, 1:5] for cells in levels], [cells[:, :, 5:] for cells in levels]
        return (*scores, *(score.clone() for score in scores), *boxes, *points)


def export(detector: Detector, path: str) -> None:
    """Takes BGR pictures of 0..255; weights are kept as float16, which the runtime turns back when it loads them."""
    detector = copy.deepcopy(detector).eval()
    detector.stem[0][0].weight.data /= SCALE
    names = [f"{kind}_{stride}" for kind in KINDS for stride in STRIDES]
    exported = io.BytesIO()
    torch.onnx.export(
        Answers(detector),
        torch.zeros(1, 3, 64, 96),
        exported,
        opset_version=13,
        input_names=["input"],
        output_names=names,
        dynamic_axes={
            "input": {0: "batch", 2: "height", 3: "width"},
            **{name: {0: "batch", 1: f"cells_{name.split('_')[1]}"} for name in names},
        },
    )
    model = onnx.load_from_string(exported.getvalue())
    halve(model.graph)
    model.producer_name, model.producer_version = "cpn", ""
    onnx.checker.check_model(model)
    onnx.save(model, path)


def halve(graph: onnx.GraphProto) -> None:
    casts = []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size <= FEW:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint")
    parser.add_argument("model")
    options = parser.parse_args()
    detector = Detector()
    detector.load_state_dict(torch.load(options.checkpoint)["average"])
    export(detector, options.model)


if __name__ == "__main__":
    main()
