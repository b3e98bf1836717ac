import type { ModelManifest } from '../../protocol/model.ts'

export const yunetSDynamic: ModelManifest = {
  name: 'yunet-s-dynamic',
  version: '1',
  family: 'yunet',
  task: 'detect-faces',
  description: 'YuNet face detector with five keypoints, any size in multiples of 32',
  sha256: 'daede24002cc8590f457998cc5e6c9e8b82f45f6bd969506a8913cd4ed10a2d3',
  bytes: 237_823,
  licence: 'Apache-2.0',
  urls: [
    'https://raw.githubusercontent.com/ShiqiYu/libfacedetection.train/0047ac24afb1a50a0c6105001c89d1b5b805dbf1/onnx/yunet_s_dynamic.onnx',
  ],
  preprocess: { channels: 'BGR', mean: [0, 0, 0], std: [1, 1, 1] },
  thresholds: { score: 0.6, nms: 0.3 },
}
