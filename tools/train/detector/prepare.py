"""Makes training pictures with their targets, in files of 512: python3 prepare.py --help"""
import argparse
import hashlib
import os
import pickle
import time
from pathlib import Path

import cv2
import numpy as np
import torch

import photos
from compose import EDGE, Material, compose
from targets import targets
from teacher import Teacher

BATCH = 16
PICTURES = 512
QUALITY = 95


def main() -> None:
    options = arguments()
    cv2.setNumThreads(1)
    torch.set_num_threads(options.threads)
    teacher = Teacher(options.teacher)
    material = gather(options, teacher)
    options.out.mkdir(parents=True, exist_ok=True)
    for number in range(options.first, options.first + options.files):
        path = options.out / f"{number:04d}.npz"
        if path.exists():
            continue
        began = time.time()
        write(path, np.random.default_rng([options.seed, number]), material, teacher)
        print(f"{path.name}: {PICTURES / (time.time() - began):.0f} pictures a second", flush=True)


def write(path: Path, random: np.random.Generator, material: Material, teacher: Teacher) -> None:
    pictures, faces, cells = [], [], []
    for _ in range(PICTURES // BATCH):
        canvases = [compose(random, material) for _ in range(BATCH)]
        answers = teacher.cells_of(np.stack([canvas.picture for canvas in canvases]))
        for canvas, answer in zip(canvases, answers):
            encoded = cv2.imencode(".jpg", canvas.picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
            pictures.append(encoded.ravel())
            faces.append(canvas.faces)
            cells.append(targets(answer, canvas.faces, canvas.complete))
    partial = path.with_suffix(".partial")
    with open(partial, "wb") as file:
        np.savez(file, **joined("pictures", pictures), **joined("faces", faces), **joined("cells", cells))
    os.replace(partial, path)


def joined(name: str, parts: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Arrays end to end, and where each of them ends."""
    return {name: np.concatenate(parts), f"{name}_ends": np.cumsum([len(part) for part in parts])}


def gather(options: argparse.Namespace, teacher: Teacher) -> Material:
    """All material with its faces."""
    annotated, plain, portraits = looks(options, teacher)
    drawn = [photo for folder in options.drawn for photo in photos.drawings(folder)]
    empty = [photo for folder in options.empty for photo in photos.photos_without_faces(folder)]
    shares = [(annotated, 0.45), (plain, 0.3), (drawn, 0.25)]
    weights = np.concatenate([np.full(len(some), share / max(1, len(some))) for some, share in shares])
    print(f"{len(annotated)} annotated, {len(plain)} plain, {len(drawn)} drawn, {len(portraits)} portraits, {len(empty)} empty")
    return Material([*annotated, *plain, *drawn], weights / weights.sum(), portraits, empty)


def looks(options: argparse.Namespace, teacher: Teacher) -> list[list[photos.Photo]]:
    """What the teacher sees on the photos. It takes minutes, and is kept in a file beside the output for the same question."""
    kept = options.out.with_suffix(".looks")
    asked = [hashlib.sha256(Path(options.teacher).read_bytes()).hexdigest()]
    asked += [[str(folder.resolve()) for folder in some] for some in (options.annotated, options.photos, options.portraits)]
    if kept.exists():
        answered, answer = pickle.loads(kept.read_bytes())
        if answered == asked:
            return answer
    answer = [
        [photo for folder in options.annotated for photo in photos.annotated_photos(folder, teacher)],
        [photo for folder in options.photos for photo in photos.photos_without_annotation(folder, teacher)],
        [photo for folder in options.portraits for photo in photos.grey_portraits(folder, teacher)],
    ]
    partial = kept.with_suffix(".partial")
    partial.write_bytes(pickle.dumps((asked, answer)))
    os.replace(partial, kept)
    return answer


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--teacher", required=True, help="yunet-s-dynamic.onnx")
    parser.add_argument("--out", type=Path, required=True, help="folder of the training files")
    parser.add_argument("--annotated", type=Path, nargs="*", default=[], help="Pascal VOC folders; half of each is used")
    parser.add_argument("--photos", type=Path, nargs="*", default=[], help="folders of photos of people")
    parser.add_argument("--portraits", type=Path, nargs="*", default=[], help="folders of grey photos of one person each")
    parser.add_argument("--drawn", type=Path, nargs="*", default=[], help="folders of drawn scenes with truth.json")
    parser.add_argument("--empty", type=Path, nargs="*", default=[], help="folders of photos without faces")
    parser.add_argument("--first", type=int, default=0, help="number of the first file")
    parser.add_argument("--files", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
