import type { ModelManifest } from '../../protocol/model.ts'

export const yunet2023mar: ModelManifest = {
  name: 'yunet-2023mar',
  version: '1',
  family: 'yunet',
  task: 'detect-faces',
  description: 'YuNet face detector with five keypoints, 640x640; the default',
  sha256: '8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4',
  bytes: 232_589,
  licence: 'MIT (opencv_zoo), Apache-2.0 (libfacedetection.train)',
  urls: [
    'https://github.com/opencv/opencv_zoo/raw/main/models/face_detection_yunet/face_detection_yunet_2023mar.onnx',
    'https://raw.githubusercontent.com/ShiqiYu/libfacedetection.train/0047ac24afb1a50a0c6105001c89d1b5b805dbf1/onnx/yunet_s_640_640.onnx',
  ],
  preprocess: { channels: 'BGR', mean: [0, 0, 0], std: [1, 1, 1] },
  thresholds: { score: 0.6, nms: 0.3 },
}
