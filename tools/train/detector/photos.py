"""Photographs and drawings with the faces on them, as annotated or as the teacher sees them in several looks."""
import json
import re
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from boxes import overlaps, suppress
from teacher import Teacher

BOX, POINTS, HAS_POINTS, CONFIDENCE = slice(0, 4), slice(4, 14), 14, 15
"""Columns of a face: corners, five points x, y, whether the points are known, and how sure it is that this is a face."""

SURE = 0.6
"""Confidence from which on a face is one to learn; below it nothing is learnt of the place."""

DOUBTFUL = 0.4


@dataclass
class Photo:
    picture: np.ndarray
    faces: np.ndarray
    """Rows of 16, see the columns above; coordinates in pixels of the picture."""
    complete: bool
    """Whether there is certainly no other face on it."""


def read(file: Path) -> np.ndarray:
    """BGR."""
    picture = cv2.imread(str(file))
    if picture is None:
        raise SystemExit(f"{file} is no picture that can be read")
    return picture


def grey_portraits(folder: Path, teacher: Teacher) -> list[Photo]:
    """Small portraits, so plain that one look is enough."""
    photos = []
    for file in sorted(folder.rglob("*.jpg")):
        picture = read(file)
        found = teacher.look(picture, 320 / max(picture.shape), 0.45)
        photos.append(Photo(picture, faces_of(found, found[:, 0]), False))
    return photos


def photos_without_annotation(folder: Path, teacher: Teacher) -> list[Photo]:
    return [looked_at(read(file), teacher) for file in sorted(folder.glob("*.jpg"))]


def photos_without_faces(folder: Path) -> list[Photo]:
    return [Photo(read(file), np.zeros((0, 16), np.float32), False) for file in sorted(folder.glob("*.jpg"))]


def training_half(names: list[str]) -> list[str]:
    """Every other one of the sorted names, from the first on; the rest is held out for measuring."""
    return sorted(names)[0::2]


def annotated_photos(folder: Path, teacher: Teacher) -> list[Photo]:
    """The training half of a Pascal VOC folder with images/ and annotations/."""
    photos = []
    for name in training_half([file.name for file in (folder / "images").iterdir()]):
        annotation = (folder / "annotations" / name).with_suffix(".xml").read_text()
        truth = np.array(
            [
                [float(re.search(rf"<{edge}>([\d.]+)<", body)[1]) for edge in ("xmin", "ymin", "xmax", "ymax")]
                for body in re.findall(r"<object>(.*?)</object>", annotation, re.S)
            ],
            np.float32,
        ).reshape(-1, 4)
        photo = looked_at(read(folder / "images" / name), teacher)
        photos.append(Photo(photo.picture, with_truth(truth, photo.faces), True))
    return photos


def drawings(folder: Path) -> list[Photo]:
    """Pictures of draw.ts: truth.json lists their faces, each with box [x, y, width, height] and five keypoints."""
    photos = []
    for scene in json.loads((folder / "truth.json").read_text())["photos"]:
        faces = [
            [x, y, x + width, y + height, *np.ravel(face["keypoints"]), 1, 1]
            for face in scene["faces"]
            for x, y, width, height in [face["box"]]
        ]
        picture = read(folder / scene["file"])
        photos.append(Photo(picture, np.array(faces, np.float32).reshape(-1, 16), True))
    return photos


def looked_at(picture: np.ndarray, teacher: Teacher) -> Photo:
    """Faces of several looks: surely one where two of the looks agree."""
    looks = [teacher.look(picture, edge / max(picture.shape)) for edge in (320, 640, 960, 1280)]
    best = suppress(np.concatenate(looks), 0.4)
    agreeing = sum((overlaps(best[:, 1:5], look[:, 1:5]) > 0.4).any(1).astype(int) for look in looks)
    return Photo(picture, faces_of(best, np.where(agreeing > 1, best[:, 0], best[:, 0] * DOUBTFUL)), False)


def with_truth(truth: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Annotated faces, with the points of those seen; what is seen and not annotated is doubtful."""
    faces = np.zeros((len(truth), 16), np.float32)
    faces[:, BOX], faces[:, CONFIDENCE] = truth, 1
    over = overlaps(truth, seen[:, BOX])
    if seen.size:
        match = over.argmax(1)
        matched = over.max(1) > 0.4
        faces[matched, POINTS] = seen[match[matched], POINTS]
        faces[matched, HAS_POINTS] = 1
    others = seen[~(over > 0.4).any(0)] if len(truth) else seen
    others = others[others[:, CONFIDENCE] >= DOUBTFUL].copy()
    others[:, CONFIDENCE] = DOUBTFUL
    return np.concatenate([faces, others])


def faces_of(found: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    ones = np.ones((len(found), 1), np.float32)
    return np.concatenate([found[:, 1:15], ones, confidence[:, None]], 1).astype(np.float32)
