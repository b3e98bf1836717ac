"""The training pictures of a folder, drawn at random; files that come later are noticed."""
from pathlib import Path

import cv2
import numpy as np
import torch

from compose import EDGE
from degrade import degrade
from model import STRIDES
from targets import BOX_WEIGHT, PLACE, POINTS_WEIGHT, SCORE, TARGET_BOX, TARGET_POINTS, WEIGHT

CELLS = sum((EDGE // stride) ** 2 for stride in STRIDES)


class Pool:
    def __init__(self, folders: list[Path]):
        self.folders = folders
        self.files: dict[Path, dict[str, list[np.ndarray]]] = {}
        self.entries: list[tuple[Path, int]] = []
        self.refresh()

    def refresh(self) -> None:
        """Reads the files that are new."""
        for path in sorted(path for folder in self.folders for path in folder.glob("*.npz")):
            if path in self.files:
                continue
            with np.load(path) as file:
                self.files[path] = {
                    name: np.split(file[name], file[f"{name}_ends"][:-1]) for name in ("pictures", "faces", "cells")
                }
            self.entries += [(path, i) for i in range(len(self.files[path]["pictures"]))]

    def batch(self, random: np.random.Generator, size: int) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        pictures = np.empty((size, EDGE, EDGE, 3), np.uint8)
        score, weight = np.zeros((size, CELLS), np.float32), np.ones((size, CELLS), np.float32)
        told = []
        for row, entry in enumerate(random.integers(len(self.entries), size=size)):
            path, i = self.entries[entry]
            part = self.files[path]
            picture = cv2.imdecode(part["pictures"][i], cv2.IMREAD_COLOR)
            pictures[row] = degrade(random, picture, part["faces"][i])
            cells = part["cells"][i]
            place = cells[:, PLACE].astype(int)
            score[row, place], weight[row, place] = cells[:, SCORE], cells[:, WEIGHT]
            shown = cells[(cells[:, BOX_WEIGHT] > 0) & (cells[:, WEIGHT] > 0)].copy()
            shown[:, PLACE] += row * CELLS
            told.append(shown)
        told = torch.from_numpy(np.concatenate(told))
        target = {
            "score": torch.from_numpy(score),
            "weight": torch.from_numpy(weight),
            "index": told[:, PLACE].long(),
            "box": told[:, TARGET_BOX],
            "box_weight": told[:, BOX_WEIGHT],
            "points": told[:, TARGET_POINTS],
            "points_weight": told[:, POINTS_WEIGHT],
        }
        return torch.from_numpy(pictures).permute(0, 3, 1, 2).float(), target
