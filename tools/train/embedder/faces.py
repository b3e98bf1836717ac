"""The aligned faces that tools/train/faces.ts wrote, and who of them is left for validation."""

import json
import zlib
from pathlib import Path

import numpy as np

from model import DIMENSIONS, EDGE

CROP = (EDGE, EDGE, 3)


class Faces:
    """Crops (uint8, memory-mapped), the teacher's embeddings and each face's person, None where nobody knows."""

    def __init__(self, folder):
        self.crops, lines = read(folder)
        self.taught = np.fromfile(Path(folder) / "crops.f32", np.float32).reshape(-1, DIMENSIONS)
        self.people = [line["person"] for line in lines]
        self.edges = np.array([line["edge"] for line in lines])
        held_out = np.array([is_held_out(person) for person in self.people])
        self.training = np.flatnonzero(~held_out)
        self.validation = np.flatnonzero(held_out)


class DrawnFaces:
    """Crops of drawn people and each one's person, counted from 0 in the order of their names."""

    def __init__(self, folders):
        read_folders = [read(folder) for folder in folders]
        self.crops = [crop for crops, _ in read_folders for crop in crops]
        names = [line["person"] for _, lines in read_folders for line in lines]
        numbers = {name: i for i, name in enumerate(sorted(set(names)))}
        self.people = np.array([numbers[name] for name in names])
        self.count = len(numbers)


def read(folder):
    lines = [json.loads(line) for line in (Path(folder) / "faces.jsonl").read_text().splitlines()]
    return np.memmap(Path(folder) / "crops.u8", np.uint8, "r").reshape(-1, *CROP), lines


def is_held_out(person):
    """One in twelve people, by name: choices are made on them, nothing is learned from them."""
    return person is not None and zlib.crc32(person.encode()) % 12 == 0
