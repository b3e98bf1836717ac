"""Spoils a picture as cameras, files and clothes do, without moving anything in it."""
import cv2
import numpy as np

from photos import BOX, HAS_POINTS, POINTS


def degrade(random: np.random.Generator, picture: np.ndarray, faces: np.ndarray) -> np.ndarray:
    if random.random() < 0.35:
        picture = masked(random, picture, faces)
    picture = relit(random, picture)
    if random.random() < 0.15:
        picture = np.repeat(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)[:, :, None], 3, 2)
    kind = random.random()
    if kind < 0.12:
        size = float(random.uniform(0.4, 1.6))
        picture = cv2.GaussianBlur(picture, (0, 0), size)
    elif kind < 0.2:
        picture = smeared(random, picture)
    elif kind < 0.3:
        picture = coarse(random, picture)
    if random.random() < 0.2:
        picture = noisy(random, picture)
    if random.random() < 0.3:
        quality = int(random.integers(20, 90))
        picture = cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
    return picture


def masked(random: np.random.Generator, picture: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Covers some faces from below the eyes to below the chin, as a mask, a scarf or a hand does."""
    picture = picture.copy()
    for face in faces[(faces[:, HAS_POINTS] > 0) & (random.random(len(faces)) < 0.5)]:
        eyes, nose, mouth = np.split(face[POINTS].reshape(5, 2), [2, 3])
        across = eyes[1] - eyes[0]
        down = mouth.mean(0) - eyes.mean(0)
        width = (face[BOX][2] - face[BOX][0]) * random.uniform(0.38, 0.52)
        unit = across / max(1e-3, np.hypot(*across)) * width
        top, bottom = eyes.mean(0) + down * random.uniform(0.3, 0.6), eyes.mean(0) + down * random.uniform(1.3, 1.75)
        shape = [top - unit, top + down * random.uniform(-0.15, 0.1), top + unit, bottom + unit * 0.6, bottom - unit * 0.6]
        colour = random.integers(0, 256, 3) if random.random() < 0.5 else np.array([230, 225, 220]) - random.integers(0, 60)
        cv2.fillConvexPoly(picture, np.round(np.array(shape) * 8).astype(np.int32), colour.tolist(), cv2.LINE_AA, 3)
        if random.random() < 0.3:
            shade = tuple(int(value) for value in np.clip(colour - 40, 0, 255))
            for part in (0.35, 0.65):
                line = np.round((np.array([top - unit, top + unit]) + (bottom - top) * part) * 8).astype(np.int32)
                cv2.line(picture, line[0].tolist(), line[1].tolist(), shade, 1, cv2.LINE_AA, 3)
    return picture


def relit(random: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """Other light: brightness, contrast, gamma, the colours' balance, and how strong they are."""
    levels = np.arange(256) / 255
    gamma = np.exp(random.normal(0, 0.3))
    gains = np.exp(random.normal(0, 0.15)) * np.exp(random.normal(0, 0.07, 3))
    offset = random.normal(0, 0.06)
    curve = np.stack([np.clip(levels**gamma * gain + offset, 0, 1) * 255 for gain in gains], -1).astype(np.uint8)
    picture = cv2.LUT(picture, curve[None])
    if random.random() < 0.3:
        grey = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        share = float(random.uniform(0.3, 1.6))
        picture = cv2.addWeighted(picture, share, grey, 1 - share, 0)
    if random.random() < 0.2:
        ramp = random.uniform(0.4, 1.1, (2, 2)).astype(np.float32)
        light = cv2.resize(ramp, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        picture = np.clip(picture * light[:, :, None], 0, 255).astype(np.uint8)
    return picture


def smeared(random: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """Motion in any direction."""
    length = int(random.choice([3, 5, 7]))
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1
    turn = cv2.getRotationMatrix2D((length / 2 - 0.5, length / 2 - 0.5), random.uniform(0, 180), 1)
    kernel = cv2.warpAffine(kernel, turn, (length, length))
    return cv2.filter2D(picture, -1, kernel / max(1e-3, kernel.sum()))


def coarse(random: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """As a small photo that was scaled up."""
    scale = float(random.uniform(0.4, 0.9))
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    method = int(random.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC]))
    return cv2.resize(small, picture.shape[1::-1], interpolation=method)


def noisy(random: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    noise = np.empty(picture.shape, np.int16)
    cv2.setRNGSeed(int(random.integers(1 << 31)))
    cv2.randn(noise, 0, float(random.uniform(2, 14)))
    return cv2.add(picture, noise, dtype=cv2.CV_8U)
