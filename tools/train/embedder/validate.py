"""How well an embedder tells held-out people apart."""

from itertools import combinations

import numpy as np
import torch

from data import to_input, unit

MOST_PAIRS = 10


class Exam:
    """Photographs of people whom the training has not seen, and drawn ones."""

    def __init__(self, faces, drawn):
        self.crops, self.taught = faces.crops[faces.validation], faces.taught[faces.validation]
        self.pairs = pairs_of([faces.people[i] for i in faces.validation])
        self.drawn = drawn
        self.drawn_pairs = drawn and pairs_of(drawn.people)

    def report(self, model):
        vectors = embed(model, self.crops)
        report = {
            "validationCosine": round(float((vectors * self.taught).sum(1).mean()), 4),
            "validationAccuracy": round(accuracy(vectors, *self.pairs), 4),
            "teacherAccuracy": round(accuracy(self.taught, *self.pairs), 4),
        }
        if self.drawn:
            report["drawnAccuracy"] = round(accuracy(embed(model, self.drawn.crops), *self.drawn_pairs), 4)
        return report


@torch.no_grad()
def embed(model, crops):
    model.eval()
    return unit(np.concatenate([model(to_input(crops[i : i + 64])).numpy() for i in range(0, len(crops), 64)]))


def pairs_of(people, seed=1):
    """Index pairs of one person, sorted by person, and ten times as many of two people."""
    random = np.random.default_rng(seed)
    photos = {}
    for i, person in enumerate(people):
        photos.setdefault(person, []).append(i)
    same = []
    for own in photos.values():
        pairs = list(combinations(own, 2))
        same += [pairs[i] for i in random.permutation(len(pairs))[:MOST_PAIRS]]
    if len(photos) < 2:
        raise SystemExit("fewer than two people are set aside to validate on: more people are needed")
    different = []
    while len(different) < 10 * len(same):
        i, j = random.integers(len(people), size=2)
        if people[i] != people[j]:
            different.append((i, j))
    return np.array(same), np.array(different)


def accuracy(vectors, same, different):
    """Mean of true accepts and true refusals, the threshold chosen on one half of the pairs and tested on the other. People may
    be in both: a figure to compare steps of a training by, not one to publish."""
    same = (vectors[same[:, 0]] * vectors[same[:, 1]]).sum(1)
    different = (vectors[different[:, 0]] * vectors[different[:, 1]]).sum(1)
    half = len(same) // 2, len(different) // 2
    folds = [(same[: half[0]], different[: half[1]]), (same[half[0] :], different[half[1] :])]
    return np.mean([balanced(*folds[1 - i], threshold=best_threshold(*folds[i])) for i in range(2)])


def best_threshold(same, different):
    candidates = np.linspace(-0.2, 1, 1201)
    scores = np.array([balanced(same, different, threshold) for threshold in candidates])
    return np.median(candidates[scores == scores.max()])


def balanced(same, different, threshold):
    return ((same >= threshold).mean() + (different < threshold).mean()) / 2
