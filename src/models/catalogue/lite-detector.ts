import type { ModelManifest } from '../../protocol/model.ts'

/** Its bytes come with cpn: assets/models/lite-detector.onnx. */
export const liteDetector: ModelManifest = {
  name: 'lite-detector',
  version: '1',
  family: 'yunet',
  task: 'detect-faces',
  description: 'Small face detector of cpn’s own making, with five keypoints, any size in multiples of 32',
  sha256: 'f8aa51c4009d1419278b44ed5f29f1f5a4c9589ab010c5a4afe8c9270b25c6d2',
  bytes: 366_401,
  licence: 'Apache-2.0',
  urls: [],
  preprocess: { channels: 'BGR', mean: [0, 0, 0], std: [1, 1, 1] },
  thresholds: { score: 0.53, nms: 0.3 },
}
