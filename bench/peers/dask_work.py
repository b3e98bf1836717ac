"""What one Dask worker does with one photograph."""
import functools

import cv2
import numpy as np


@functools.lru_cache(maxsize=1)
def network(model):
    cv2.setNumThreads(1)
    return cv2.dnn.readNetFromONNX(model)


def detect(image, model):
    scale = min(320 / image.shape[1], 240 / image.shape[0])
    width, height = round(image.shape[1] * scale), round(image.shape[0] * scale)
    canvas = np.zeros((240, 320, 3), np.uint8)
    how = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
    canvas[:height, :width] = cv2.resize(image, (width, height), interpolation=how)
    net = network(model)
    net.setInput(cv2.dnn.blobFromImage(canvas, 1 / 128, mean=(127, 127, 127), swapRB=True))
    scores, boxes = net.forward(["scores", "boxes"])
    scores, boxes = scores[0, :, 1], boxes[0]
    found = scores >= 0.7
    corners = boxes[found] * [320, 240, 320, 240] / scale
    sized = [[a, b, c - a, d - b] for a, b, c, d in corners.tolist()]
    kept = cv2.dnn.NMSBoxes(sized, scores[found].tolist(), 0.7, 0.3)
    return [sized[int(np.ravel(each)[0])] for each in kept]


def work(data, model):
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    faces = detect(image, model)
    for x, y, width, height in faces:
        cv2.rectangle(image, (int(x), int(y)), (int(x + width), int(y + height)), (0, 255, 0), 2)
    ok, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 90])
    return faces, encoded.tobytes()
