"""Batches of augmented faces with what is to be learned of each."""

from pathlib import Path

import numpy as np
import torch

from augment import augment
from faces import CROP, DrawnFaces, Faces
from model import DIMENSIONS

MEAN, STD = 127.5, 128.0


def to_input(crops):
    """uint8 faces as the network wants them; the same numbers stand in the model's manifest."""
    pixels = torch.from_numpy(np.array(crops)).permute(0, 3, 1, 2)
    return pixels.contiguous(memory_format=torch.channels_last).float().sub_(MEAN).div_(STD)


class Store:
    """Shards of mixtures that the teacher has answered for. It may grow while it is used."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.shards = {}
        self.look()

    def look(self):
        for taught in sorted(self.folder.glob("*.f32")):
            if taught.name not in self.shards:
                crops = np.memmap(taught.with_suffix(".u8"), np.uint8, "r").reshape(-1, *CROP)
                self.shards[taught.name] = crops, np.fromfile(taught, np.float32).reshape(-1, DIMENSIONS)

    def draw(self, random, count):
        shards = list(self.shards.values())
        picked = [shards[i] for i in random.integers(len(shards), size=count)]
        places = [random.integers(len(crops)) for crops, _ in picked]
        return [crops[i] for (crops, _), i in zip(picked, places)], [taught[i] for (_, taught), i in zip(picked, places)]


class Photographs:
    """Training faces; of several photos of a person the teacher's answer is moved towards their mean."""

    def __init__(self, faces: Faces):
        self.crops = faces.crops
        self.training = faces.training
        self.taught = faces.taught.copy()
        people = {}
        for i in faces.training:
            if faces.people[i] is not None:
                people.setdefault(faces.people[i], []).append(i)
        for photos in people.values():
            mean = faces.taught[photos].mean(0)
            self.taught[photos] = unit(0.5 * faces.taught[photos] + 0.5 * unit(mean))

    def draw(self, random, count):
        picked = self.training[random.integers(len(self.training), size=count)]
        return [self.crops[i] for i in picked], [self.taught[i] for i in picked]


class Drawn:
    """Drawn people: who they are is known, the teacher is not asked."""

    def __init__(self, faces: DrawnFaces):
        self.faces = faces

    def draw(self, random, count):
        picked = random.integers(len(self.faces.crops), size=count)
        return [self.faces.crops[i] for i in picked], self.faces.people[picked]


def batch(random, store, photographs, drawn, sizes, strength):
    """Inputs; the teacher's embeddings of the first of them; the drawn people that the others show."""
    mixed, taught = store.draw(random, sizes[0])
    photos, more_taught = photographs.draw(random, sizes[1])
    portraits, people = drawn.draw(random, sizes[2]) if drawn else ([], np.empty(0, np.int64))
    inputs = to_input(np.stack([augment(random, crop, strength) for crop in mixed + photos + portraits]))
    return inputs, torch.from_numpy(np.stack(taught + more_taught)), torch.from_numpy(people)


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
