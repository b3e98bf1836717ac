"""Boxes as rows of corners x1, y1, x2, y2 in pixels."""
import numpy as np


def overlaps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of every box of a with every box of b."""
    near = np.maximum(a[:, None, :2], b[None, :, :2])
    far = np.minimum(a[:, None, 2:4], b[None, :, 2:4])
    both = np.clip(far - near, 0, None).prod(-1)
    area_a, area_b = ((boxes[:, 2:4] - boxes[:, :2]).prod(-1) for boxes in (a, b))
    return both / np.maximum(area_a[:, None] + area_b[None] - both, 1e-9)


def suppress(faces: np.ndarray, threshold: float) -> np.ndarray:
    """Rows of score and box (and more), best first, without those that overlap a better one."""
    faces = faces[np.argsort(-faces[:, 0], kind="stable")]
    kept = np.ones(len(faces), bool)
    over = overlaps(faces[:, 1:5], faces[:, 1:5]) > threshold
    for i in range(len(faces)):
        if kept[i]:
            kept[i + 1 :] &= ~over[i, i + 1 :]
    return faces[kept]
