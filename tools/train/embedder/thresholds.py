"""What thresholds of a trained embedder do to pairs of people set aside, and which ones the manifest gets.

    python3 thresholds.py RUN/checkpoint.pt FACES --drawn-held-out OTHERS

Verification takes the lowest threshold at which one in fifty pairs of different people on photographs passes for one person,
identification the lowest at which one in two thousand does.
"""

import argparse

import numpy as np
import torch

from data import to_input, unit
from faces import DrawnFaces, Faces
from model import Embedder

VERIFICATION, IDENTIFICATION = 0.02, 0.0005
CANDIDATES = np.arange(0, 71) / 100


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("checkpoint")
    arguments.add_argument("faces")
    arguments.add_argument("--drawn-held-out", nargs="+", required=True)
    options = arguments.parse_args()
    model = Embedder()
    model.load_state_dict(torch.load(options.checkpoint)["average"])
    faces, drawn = Faces(options.faces), DrawnFaces(options.drawn_held_out)
    photographs = rates(embed(model, faces.crops[faces.validation]), [faces.people[i] for i in faces.validation])
    portraits = rates(embed(model, drawn.crops), drawn.people)
    print("threshold: photographs of one person, of two; drawn people likewise")
    for threshold, real, painted in zip(CANDIDATES, photographs, portraits):
        print(f"{threshold:.2f}: {real[0]:.1%} {real[1]:.3%}; {painted[0]:.1%} {painted[1]:.3%}")
    for name, most in ("verification", VERIFICATION), ("identification", IDENTIFICATION):
        print(f"{name}: {CANDIDATES[photographs[:, 1] <= most][0]:.2f}")


@torch.no_grad()
def embed(model, crops):
    """As the exported network does: the face and its mirror image together."""
    model.eval()
    batches = [to_input(crops[i : i + 64]) for i in range(0, len(crops), 64)]
    return unit(np.concatenate([(model(batch) + model(batch.flip(3))).numpy() for batch in batches]))


def rates(vectors, people):
    """Of all pairs of one person and of two, the shares that are at least as alike as each candidate."""
    first, second = np.triu_indices(len(vectors), 1)
    same = np.array([people[i] == people[j] for i, j in zip(first, second)])
    likeness = (vectors @ vectors.T)[first, second]
    return np.array([[(likeness[same] >= t).mean(), (likeness[~same] >= t).mean()] for t in CANDIDATES])


if __name__ == "__main__":
    main()
