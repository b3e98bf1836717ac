"""Writes shards of faces of nobody: photographs of training people warped, blended and put together in parts.

    python3 mix.py FACES OUT --shards 70 --seed 1

A few thousand photographs are a thin sample of faces. The teacher answers for any picture, so mixtures of aligned faces
that it answers for (tools/train/teach.ts OUT/*.u8) let the student see what lies between them.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from faces import Faces
from model import EDGE

SHARD = 2000
# Faces of crowds with fewer pixels, before they were scaled, are too blurred to lend features.
SHARP_EDGE = 40
ROWS, COLUMNS = np.mgrid[0:EDGE, 0:EDGE].astype(np.float32)
# Middle (x, y) and half axes of what a face is told by, on ArcFace's crop.
PARTS = [
    (56, 50, 34, 13),  # both eyes
    (56, 40, 36, 10),  # brows
    (56, 68, 14, 17),  # nose
    (56, 91, 24, 13),  # mouth
    (56, 103, 34, 15),  # chin
    (56, 66, 34, 44),  # face without hair
    (56, 20, 60, 24),  # forehead
]


def mixture(random, faces):
    """One picture that may differ from every photograph in whom it shows."""
    face = pick(random, faces)
    kind = random.random()
    if kind < 0.30:
        face = with_parts(random, face, faces)
    elif kind < 0.52:
        face = blend(random, face, faces)
    elif kind < 0.64:
        face = halves(random, face, faces)
    elif kind < 0.76:
        face = coarse_and_fine(random, face, faces)
    elif kind < 0.86:
        face = sum_of_differences(random, face, faces)
    if kind > 0.86 or random.random() < 0.6:
        face = warp(random, face)
    if random.random() < 0.3:
        face = shade(random, face)
    return np.clip(face + 0.5, 0, 255).astype(np.uint8)


def pick(random, faces):
    face = faces[random.integers(len(faces))].astype(np.float32)
    return face[:, ::-1] if random.random() < 0.5 else face


def with_parts(random, face, faces):
    for part in random.choice(len(PARTS), random.integers(1, 4), replace=False):
        other = pick(random, faces)
        mask = ellipse(random, *PARTS[part])
        face = join(face, other, mask)
    return face


def ellipse(random, x, y, width, height):
    """A soft mask around a part, moved and scaled a little."""
    x, y = x + random.normal(0, 2), y + random.normal(0, 2)
    width, height = np.array([width, height]) * random.uniform(0.85, 1.2, 2)
    distance = np.sqrt(((COLUMNS - x) / width) ** 2 + ((ROWS - y) / height) ** 2)
    return soft(1 - distance, random.uniform(0.1, 0.3))


def soft(distance, width):
    return np.clip(distance / width + 0.5, 0, 1)[..., None]


def join(face, other, mask):
    """The other under the mask, in the light of the face."""
    weight = mask.sum() + 1e-3
    ours, theirs = (face * mask).sum((0, 1)) / weight, (other * mask).sum((0, 1)) / weight
    return face + mask * (other + (ours - theirs) - face)


def blend(random, face, faces):
    share = random.uniform(0.25, 0.75)
    face = face * share + pick(random, faces) * (1 - share)
    # What a blend loses in contrast.
    return (face - face.mean()) * random.uniform(1.0, 1.35) + face.mean()


def halves(random, face, faces):
    """Beyond a line across the face somebody else."""
    angle = random.normal(0, 0.25) if random.random() < 0.7 else np.pi / 2 + random.normal(0, 0.1)
    distance = (ROWS - random.uniform(45, 85)) * np.cos(angle) + (COLUMNS - 56) * np.sin(angle)
    return join(face, pick(random, faces), soft(distance / EDGE, random.uniform(0.05, 0.25)))


def coarse_and_fine(random, face, faces):
    """The large shapes of one, the fine lines of another."""
    sigma = random.uniform(1.5, 7)
    other = pick(random, faces)
    return face - cv2.GaussianBlur(face, (0, 0), sigma) + cv2.GaussianBlur(other, (0, 0), sigma)


def sum_of_differences(random, face, faces):
    return face + random.uniform(0.3, 0.7) * (pick(random, faces) - pick(random, faces))


def warp(random, face):
    """Moves features by a smooth field, most of it alike on both sides, as faces differ."""
    cells = random.integers(4, 8)
    field = random.normal(0, random.uniform(0.6, 2.2), (cells, cells, 2)).astype(np.float32)
    mirrored = field[:, ::-1] * np.float32([-1, 1])
    field = field * 0.4 + (field + mirrored) * 0.5
    field = cv2.resize(field, (EDGE, EDGE), interpolation=cv2.INTER_CUBIC)
    return cv2.remap(face, COLUMNS + field[..., 0], ROWS + field[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def shade(random, face):
    field = random.normal(0, random.uniform(0.05, 0.2), (5, 5)).astype(np.float32)
    return face * (1 + cv2.resize(field, (EDGE, EDGE), interpolation=cv2.INTER_CUBIC)[..., None])


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("faces")
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--first", type=int, default=0, help="number of the first shard")
    arguments.add_argument("--shards", type=int, default=70, help=f"of {SHARD} crops each")
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    cv2.setNumThreads(1)
    faces = Faces(options.faces)
    crops = faces.crops[faces.training[faces.edges[faces.training] >= SHARP_EDGE]]
    options.out.mkdir(parents=True, exist_ok=True)
    for shard in range(options.first, options.first + options.shards):
        path = options.out / f"{shard:04}.u8"
        if path.exists():
            continue
        random = np.random.default_rng([options.seed, shard])
        part = path.with_suffix(".part")
        np.stack([mixture(random, crops) for _ in range(SHARD)]).tofile(part)
        part.rename(path)


if __name__ == "__main__":
    main()
