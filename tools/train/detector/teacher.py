"""YuNet, run by torch from its ONNX file: what it says of every cell, and the faces it finds."""
import cv2
import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch.nn import functional as F

from boxes import suppress
from model import STRIDES

KINDS = ("cls", "obj", "bbox", "kps")


class Teacher:
    """Knows the few operators of YuNet's graph up to its twelve maps; the reshaping behind them is done here."""

    def __init__(self, path: str):
        graph = onnx.load(path).graph
        self.weights = {tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).copy()) for tensor in graph.initializer}
        self.nodes = [node for node in graph.node if node.op_type in OPERATORS]
        self.maps = maps_by_output(graph)

    @torch.no_grad()
    def maps_of(self, pictures: torch.Tensor) -> dict[str, torch.Tensor]:
        """Maps [batch, channels, rows, columns] by output; scores are logits."""
        known = {"input": pictures.contiguous()}
        for node in self.nodes:
            inputs = [known[name] if name in known else self.weights.get(name) for name in node.input]
            known[node.output[0]] = OPERATORS[node.op_type](node, *inputs)
        return {output: known[name] for output, name in self.maps.items()}

    def cells_of(self, pictures: np.ndarray) -> list[np.ndarray]:
        """For each of the uint8 BGR pictures [batch, h, w, 3]: rows of x, y, stride, score, x1, y1, x2, y2, 10 points."""
        maps = self.maps_of(torch.from_numpy(pictures).permute(0, 3, 1, 2).float())
        levels = [decode(maps, stride) for stride in STRIDES]
        return list(torch.cat(levels, 1).numpy())

    def look(self, picture: np.ndarray, scale: float, threshold: float = 0.3) -> np.ndarray:
        """Faces of one picture seen at a scale: rows of score, x1, y1, x2, y2, 10 points, in the picture's pixels."""
        height, width = (max(32, round(edge * scale)) for edge in picture.shape[:2])
        padded = np.zeros((1, -(-height // 32) * 32, -(-width // 32) * 32, 3), np.uint8)
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        padded[0, :height, :width] = cv2.resize(picture, (width, height), interpolation=method)
        faces = self.cells_of(padded)[0][:, 3:]
        faces = suppress(faces[faces[:, 0] >= threshold], 0.3)
        faces[:, 1:] /= scale
        return faces


def maps_by_output(graph) -> dict[str, str]:
    """The map that each output is made of: the input of the Transpose that leads to it."""
    made_by = {output: node for node in graph.node for output in node.output}
    maps = {}
    for output in graph.output:
        node = made_by[output.name]
        while node.op_type != "Transpose":
            node = made_by[node.input[0]]
        maps[output.name] = node.input[0]
    return maps


def decode(maps: dict[str, torch.Tensor], stride: int) -> torch.Tensor:
    scores, objects, boxes, points = (maps[f"{kind}_{stride}"] for kind in KINDS)
    batch, _, rows, columns = scores.shape
    y, x = torch.meshgrid(torch.arange(rows) * float(stride), torch.arange(columns) * float(stride), indexing="ij")
    score = (scores.sigmoid() * objects.sigmoid()).sqrt()[:, 0]
    centre_x, centre_y = x + boxes[:, 0] * stride, y + boxes[:, 1] * stride
    half_width, half_height = boxes[:, 2].exp() * stride / 2, boxes[:, 3].exp() * stride / 2
    corner = [centre_x - half_width, centre_y - half_height, centre_x + half_width, centre_y + half_height]
    landmarks = [(y if i % 2 else x) + points[:, i] * stride for i in range(10)]
    places = [place.expand_as(score) for place in (x, y, torch.full_like(x, stride))]
    return torch.stack([*places, score, *corner, *landmarks], -1).flatten(1, 2)


def convolve(node, x, weight, bias):
    attributes = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
    return F.conv2d(x, weight, bias, attributes["strides"], attributes["pads"][:2], groups=attributes["group"])


OPERATORS = {
    "Conv": convolve,
    "Relu": lambda node, x: x.relu(),
    "MaxPool": lambda node, x: F.max_pool2d(x, 2),
    "Resize": lambda node, x, *_: F.interpolate(x, scale_factor=2.0),
    "Add": lambda node, x, y: x + y,
}
