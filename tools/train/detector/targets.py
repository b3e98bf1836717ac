"""What every cell of the three grids should say of a picture."""
import numpy as np

from boxes import overlaps
from model import STRIDES
from photos import BOX, CONFIDENCE, HAS_POINTS, POINTS, SURE

PLACE, SCORE, WEIGHT, TARGET_BOX, BOX_WEIGHT, TARGET_POINTS, POINTS_WEIGHT = (
    0, 1, 2, slice(3, 7), 7, slice(8, 18), 18,
)
"""Columns of a cell that has something to say: its index, the score and its weight, box and points with theirs."""

FIELDS = 19

LARGE = 88
"""Pixels from which on faces belong to the coarsest grid, as they do with the teacher; smaller ones to the finest."""

KNOWN = 0.9
"""Score that the best cell of a known face should have at least."""


def targets(cells: np.ndarray, faces: np.ndarray, complete: np.ndarray) -> np.ndarray:
    """The teacher's word for every cell, corrected by what is known of the picture; only cells of some score or doubt.

    cells: rows of the teacher, see Teacher.cells_of; complete: where on the picture no other faces are.
    """
    out = np.zeros((len(cells), FIELDS), np.float32)
    out[:, PLACE] = np.arange(len(cells))
    out[:, SCORE], out[:, WEIGHT] = cells[:, 3], 1
    out[:, TARGET_BOX], out[:, TARGET_POINTS] = cells[:, 4:8], cells[:, 8:18]
    sure = faces[faces[:, CONFIDENCE] >= SURE]
    doubtful = faces[faces[:, CONFIDENCE] < SURE]
    over = overlaps(cells[:, 4:8], sure[:, BOX]) if len(sure) else np.zeros((len(cells), 1))
    owned = over.max(1) > 0.4
    x, y = (np.clip(cells[:, i].astype(int), 0, len(complete) - 1) for i in (0, 1))
    out[complete[y, x] & ~owned, SCORE] = 0
    for face in doubtful:
        near = inside(cells, face, 0.5) | (overlaps(cells[:, 4:8], face[None, BOX])[:, 0] > 0.3) & ~owned
        out[near, WEIGHT] = 0
    for i, face in enumerate(sure):
        own = (over[:, i] > 0.4) & (over.argmax(1) == i)
        best = out[own, SCORE].max(initial=0)
        if best >= 0.5:
            out[own, SCORE] = np.minimum(1, out[own, SCORE] * max(1, KNOWN / best))
        else:
            own = central(cells, face)
            out[own, SCORE], out[own, WEIGHT] = KNOWN, 1
        seen = own & (out[:, SCORE] > 0.05)
        if face[CONFIDENCE] == 1 or best < 0.5:
            out[seen, TARGET_BOX] = face[BOX]
        if best < 0.5:
            out[seen, TARGET_POINTS] = face[POINTS]
            out[seen, POINTS_WEIGHT] = -1 if face[HAS_POINTS] == 0 else 0
    learnt = np.where(out[:, SCORE] > 0.1, out[:, SCORE], 0)
    out[:, BOX_WEIGHT] = learnt
    out[:, POINTS_WEIGHT] = np.where(out[:, POINTS_WEIGHT] < 0, 0, learnt)
    return out[(out[:, SCORE] > 0.01) | (out[:, WEIGHT] != 1)]


def inside(cells: np.ndarray, face: np.ndarray, share: float) -> np.ndarray:
    """Cells in the middle of a face, within a share of its size."""
    away_x = np.abs(cells[:, 0] - (face[0] + face[2]) / 2) / (face[2] - face[0])
    away_y = np.abs(cells[:, 1] - (face[1] + face[3]) / 2) / (face[3] - face[1])
    return np.maximum(away_x, away_y) < share / 2


def central(cells: np.ndarray, face: np.ndarray) -> np.ndarray:
    """Cells that answer for a face the teacher misses: near its middle, on the grid for faces of its size."""
    size = np.sqrt((face[2] - face[0]) * (face[3] - face[1]))
    stride = STRIDES[0] if size < LARGE else STRIDES[2]
    away = np.maximum(
        np.abs(cells[:, 0] - (face[0] + face[2]) / 2), np.abs(cells[:, 1] - (face[1] + face[3]) / 2)
    )
    away[cells[:, 2] != stride] = np.inf
    return away <= max(away.min(), 0.2 * size)
