"""Makes training pictures: cuts of photos at any scale, mosaics of them, and faces on backgrounds that had none."""
from dataclasses import dataclass

import cv2
import numpy as np

from photos import BOX, CONFIDENCE, DOUBTFUL, POINTS, Photo

EDGE = 320
"""Width and height of a training picture."""

SMALLEST, LARGEST = 9, 260
"""Faces are shown at these sizes, in pixels."""


@dataclass
class Material:
    scenes: list[Photo]
    """Photos of one or more people."""
    weights: np.ndarray
    """How often each scene is taken."""
    portraits: list[Photo]
    """Grey photos of one person."""
    empty: list[Photo]


class Canvas:
    def __init__(self, random: np.random.Generator):
        self.random = random
        self.picture = background(random)
        self.faces = np.zeros((0, 16), np.float32)
        self.complete = np.zeros((EDGE, EDGE), bool)

    def place(self, photo: Photo, matrix: np.ndarray, region: tuple[int, int, int, int]) -> None:
        """Shows a photo, moved by a 2x3 matrix, within a region (left, top, right, bottom)."""
        left, top, right, bottom = region
        picture, matrix_of_picture = prepared(photo.picture, matrix)
        border = self.random.choice([cv2.BORDER_CONSTANT, cv2.BORDER_TRANSPARENT])
        shown = cv2.warpAffine(
            picture, matrix_of_picture, (EDGE, EDGE), self.picture.copy(), cv2.INTER_LINEAR, int(border)
        )
        self.picture[top:bottom, left:right] = shown[top:bottom, left:right]
        self.complete[top:bottom, left:right] = photo.complete
        self.hide(region)
        self.faces = np.concatenate([self.faces, moved(photo.faces, matrix, region)])

    def hide(self, region: tuple[int, int, int, int]) -> None:
        """Faces under a region that is painted over are there no longer, or only in part."""
        covered = visible(self.faces[:, BOX], region)
        self.faces[covered > 0.2, CONFIDENCE] = np.minimum(self.faces[covered > 0.2, CONFIDENCE], DOUBTFUL)
        self.faces = self.faces[covered < 0.6]


def compose(random: np.random.Generator, material: Material) -> Canvas:
    canvas = Canvas(random)
    kind = random.random()
    if kind < 0.4:
        show_scene(canvas, material, (0, 0, EDGE, EDGE))
    elif kind < 0.9:
        show = show_portrait if kind > 0.75 else show_any
        for region in tiles(random, int(random.choice([2, 2, 3, 4] if show is show_any else [1, 2, 3, 4, 5, 6]))):
            show(canvas, material, region)
    else:
        show_empty(canvas, material, (0, 0, EDGE, EDGE))
        for _ in range(random.integers(0, 6)):
            show_portrait(canvas, material, anywhere(random))
    return mirrored(canvas) if random.random() < 0.5 else canvas


def tiles(random: np.random.Generator, count: int) -> list[tuple[int, int, int, int]]:
    """Regions of a grid whose lines are not quite evenly spaced."""
    spacing = np.cumsum(random.uniform(0.7, 1.3, (2, count)), 1)
    x, y = (np.concatenate([[0], edges / edges[-1] * EDGE]).round().astype(int) for edges in spacing)
    return [(left, top, right, bottom) for left, right in zip(x, x[1:]) for top, bottom in zip(y, y[1:])]


def anywhere(random: np.random.Generator) -> tuple[int, int, int, int]:
    width = int(random.uniform(20, 160))
    height = int(width * random.uniform(1, 1.4))
    left, top = random.integers(-width // 4, EDGE - width * 3 // 4, 2)
    return max(0, left), max(0, top), min(EDGE, left + width), min(EDGE, top + height)


def show_any(canvas: Canvas, material: Material, region) -> None:
    show = canvas.random.choice([show_scene, show_portrait, show_empty], p=[0.7, 0.2, 0.1])
    show(canvas, material, region)


def show_scene(canvas: Canvas, material: Material, region) -> None:
    """A cut of a scene around one of its faces, at a size drawn for this face."""
    random = canvas.random
    photo = material.scenes[random.choice(len(material.scenes), p=material.weights)]
    if len(photo.faces) == 0 or random.random() < 0.1:
        return show_cut(canvas, photo, region)
    face = photo.faces[random.integers(len(photo.faces))]
    size = np.sqrt((face[2] - face[0]) * (face[3] - face[1]))
    fitting = max(region[2] - region[0], region[3] - region[1]) / max(photo.picture.shape)
    smallest, largest = max(SMALLEST, size * fitting * 0.8), min(LARGEST, size * 3.5)
    wanted = np.exp(random.uniform(np.log(smallest), np.log(max(largest, smallest * 1.1))))
    show_around(canvas, photo, (face[0] + face[2]) / 2, (face[1] + face[3]) / 2, wanted / size, region)


def show_portrait(canvas: Canvas, material: Material, region) -> None:
    if not material.portraits:
        return
    random = canvas.random
    photo = material.portraits[random.integers(len(material.portraits))]
    edge = max(region[2] - region[0], region[3] - region[1])
    scale = edge / photo.picture.shape[1] * np.exp(random.uniform(-0.2, 0.8))
    height, width = photo.picture.shape[:2]
    tinted = Photo(tint(random, photo.picture), photo.faces, photo.complete)
    x, y = width / 2 + random.normal(0, 20), height / 2 + random.normal(0, 20)
    show_around(canvas, tinted, x, y, scale, region, spread=0.1)


def show_empty(canvas: Canvas, material: Material, region) -> None:
    if material.empty and canvas.random.random() < 0.8:
        show_cut(canvas, material.empty[canvas.random.integers(len(material.empty))], region)


def show_cut(canvas: Canvas, photo: Photo, region) -> None:
    """Any part of a photo at any scale."""
    random = canvas.random
    height, width = photo.picture.shape[:2]
    scale = EDGE / max(width, height) * np.exp(random.uniform(-0.4, 1.5))
    show_around(canvas, photo, random.uniform(0, width), random.uniform(0, height), scale, region)


def show_around(canvas: Canvas, photo: Photo, x: float, y: float, scale: float, region, spread: float = 0.35) -> None:
    """Moves a point of a photo to somewhere in the region, turned and stretched a little."""
    random = canvas.random
    left, top, right, bottom = region
    to_x = (left + right) / 2 + random.uniform(-spread, spread) * (right - left)
    to_y = (top + bottom) / 2 + random.uniform(-spread, spread) * (bottom - top)
    angle = np.radians(random.normal(0, random.choice([0, 6, 20])))
    stretch = np.exp(random.normal(0, 0.06))
    cosine, sine = np.cos(angle) * scale, np.sin(angle) * scale
    linear = np.array([[cosine * stretch, -sine], [sine * stretch, cosine]])
    shift = np.array([to_x, to_y]) - linear @ [x, y]
    canvas.place(photo, np.column_stack([linear, shift]), region)


def moved(faces: np.ndarray, matrix: np.ndarray, region) -> np.ndarray:
    """Faces after a move; upright boxes stay upright about their middle. Those that are cut are doubtful or left out."""
    faces = faces.copy()
    scale_x, scale_y = np.hypot(matrix[0, 0], matrix[1, 0]), np.hypot(matrix[0, 1], matrix[1, 1])
    middle = (faces[:, 0:2] + faces[:, 2:4]) / 2 @ matrix[:, :2].T + matrix[:, 2]
    half = (faces[:, 2:4] - faces[:, 0:2]) / 2 * [scale_x, scale_y]
    faces[:, 0:2], faces[:, 2:4] = middle - half, middle + half
    points = faces[:, POINTS].reshape(-1, 5, 2) @ matrix[:, :2].T + matrix[:, 2]
    faces[:, POINTS] = points.reshape(-1, 10)
    seen = visible(faces[:, BOX], region)
    sizes = np.sqrt((faces[:, 2:4] - faces[:, 0:2]).prod(1))
    uncertain = (seen < 0.75) | (sizes < 8)
    faces[uncertain, CONFIDENCE] = np.minimum(faces[uncertain, CONFIDENCE], DOUBTFUL)
    return faces[seen > 0.3]


def visible(boxes: np.ndarray, region) -> np.ndarray:
    """The share of each box that lies in a region."""
    inside = np.clip(np.minimum(boxes[:, 2:4], region[2:]) - np.maximum(boxes[:, 0:2], region[:2]), 0, None).prod(1)
    return inside / np.maximum((boxes[:, 2:4] - boxes[:, 0:2]).prod(1), 1e-6)


def mirrored(canvas: Canvas) -> Canvas:
    canvas.picture = np.ascontiguousarray(canvas.picture[:, ::-1])
    canvas.complete = canvas.complete[:, ::-1]
    faces = canvas.faces.copy()
    faces[:, [0, 2]] = EDGE - canvas.faces[:, [2, 0]]
    points = canvas.faces[:, POINTS].reshape(-1, 5, 2) * [-1, 1] + [EDGE, 0]
    faces[:, POINTS] = points[:, [1, 0, 2, 4, 3]].reshape(-1, 10)
    canvas.faces = faces
    return canvas


def prepared(picture: np.ndarray, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A picture that comes down a lot is averaged first, or its details would turn into noise."""
    scale = np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    if scale > 0.6:
        return picture, matrix
    height, width = (max(1, round(edge * scale)) for edge in picture.shape[:2])
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    back = np.diag([picture.shape[1] / width, picture.shape[0] / height])
    return small, np.column_stack([matrix[:, :2] @ back, matrix[:, 2]])


def tint(random: np.random.Generator, grey: np.ndarray) -> np.ndarray:
    """A grey photo in the colours of skin and light, or left grey."""
    if random.random() < 0.25:
        return grey
    dark = random.uniform(0, 50, 3)
    light = np.array([random.uniform(150, 235), random.uniform(180, 245), random.uniform(215, 256)])
    middle = (dark + light) / 2 + random.normal(0, 12, 3) + [-14, -4, 14]
    ramp = np.stack([np.interp(np.arange(256), [0, 128, 255], [d, m, l]) for d, m, l in zip(dark, middle, light)], -1)
    return cv2.LUT(grey, np.clip(ramp, 0, 255).astype(np.uint8)[None])


def background(random: np.random.Generator) -> np.ndarray:
    """Black, as around a photo that does not fill the input, one colour, a ramp, or noise of any grain."""
    kind = random.random()
    if kind < 0.3:
        return np.zeros((EDGE, EDGE, 3), np.uint8)
    if kind < 0.45:
        return np.full((EDGE, EDGE, 3), random.integers(0, 256, 3), np.uint8)
    grain = int(random.choice([2, 4, 8, 20, 60, 160]))
    noise = random.integers(0, 256, (grain, grain, 3), dtype=np.uint8)
    method = random.choice([cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC])
    return cv2.resize(noise, (EDGE, EDGE), interpolation=int(method))
