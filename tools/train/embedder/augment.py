"""What a camera and a crop do to a face without changing whose it is: the student's answer has to stay."""

import cv2
import numpy as np

from model import EDGE

NOISE = np.random.default_rng(7).normal(0, 1, (256, 256, 3)).astype(np.float32)


def augment(random, face, strength=1.0):
    """A worse picture of the same face, uint8 in and out. Strength is how often anything but its place is touched."""
    face = move(random, face)
    if random.random() < 0.4 * strength:
        face = tint(random, face)
    if random.random() < 0.7 * strength:
        face = expose(random, face)
    if random.random() < 0.2 * strength:
        face = light_from_a_side(random, face)
    if random.random() < 0.25 * strength:
        face = soften(random, face)
    if random.random() < 0.15 * strength:
        face = add_noise(random, face)
    if random.random() < 0.15 * strength:
        face = compress(random, face)
    if random.random() < 0.08 * strength:
        face = cover(random, face)
    return face


def move(random, face):
    """Detectors' points are a pixel or two off; and a mirror image is the same person."""
    angle, scale = random.normal(0, 0.05), np.exp(random.normal(0, 0.035))
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    mirror = -1 if random.random() < 0.5 else 1
    turn = np.array([[mirror * cosine, -sine], [mirror * sine, cosine]])
    middle = np.full(2, (EDGE - 1) / 2)
    shift = middle - turn @ middle + random.normal(0, 1.5, 2)
    matrix = np.column_stack([turn, shift]).astype(np.float32)
    border = cv2.BORDER_REPLICATE if random.random() < 0.7 else cv2.BORDER_CONSTANT
    return cv2.warpAffine(face, matrix, (EDGE, EDGE), flags=cv2.INTER_LINEAR, borderMode=border)


def tint(random, face):
    """Grey, or another cast; grey faces become skin-coloured ones."""
    grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
    if random.random() < 0.3:
        return cv2.merge([grey] * 3)
    warmth = random.uniform(-0.15, 0.7)
    gamma = np.exp(np.array([-warmth * 0.5, 0, warmth * 0.5]) + random.normal(0, 0.08, 3))
    levels = np.arange(256) / 255
    table = (255 * levels[:, None] ** gamma).astype(np.uint8).reshape(1, 256, 3)
    return cv2.LUT(face, table)


def expose(random, face):
    levels = np.arange(256) / 255
    levels = levels ** np.exp(random.normal(0, 0.2))
    levels = (levels - 0.5) * np.exp(random.normal(0, 0.18)) + 0.5 + random.normal(0, 0.05)
    return cv2.LUT(face, np.clip(255 * levels, 0, 255).astype(np.uint8))


def light_from_a_side(random, face):
    corners = np.exp(random.normal(0, 0.35, (2, 2))).astype(np.float32)
    field = cv2.resize(corners, (EDGE, EDGE), interpolation=cv2.INTER_LINEAR)
    return cv2.multiply(face, cv2.merge([field] * 3), dtype=cv2.CV_8U)


def soften(random, face):
    """Out of focus, moved, or a small face enlarged."""
    kind = random.random()
    if kind < 0.3:
        return cv2.GaussianBlur(face, (0, 0), random.uniform(0.5, 2.2))
    if kind < 0.4:
        kernel = np.zeros((7, 7), np.float32)
        end = random.integers(0, 7, 2)
        cv2.line(kernel, (int(end[0]), int(end[1])), (6 - int(end[0]), 6 - int(end[1])), 1)
        return cv2.filter2D(face, -1, kernel / kernel.sum())
    edge = int(random.uniform(24, 90))
    small = cv2.resize(face, (edge, edge), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (EDGE, EDGE), interpolation=cv2.INTER_LINEAR)


def add_noise(random, face):
    x, y = random.integers(0, 256 - EDGE, 2)
    noise = NOISE[y : y + EDGE, x : x + EDGE]
    if random.random() < 0.5:
        noise = noise[..., :1]
    return np.clip(face + noise * random.uniform(2, 14), 0, 255).astype(np.uint8)


def compress(random, face):
    _, bytes_ = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, int(random.uniform(15, 85))])
    return cv2.imdecode(bytes_, cv2.IMREAD_COLOR)


def cover(random, face):
    """Something in front of a part of the face."""
    face = face.copy()
    width, height = random.integers(10, 45, 2)
    x, y = random.integers(0, EDGE - width), random.integers(0, EDGE - height)
    face[y : y + height, x : x + width] = random.integers(0, 256, 3 if random.random() < 0.5 else 1)
    return face
