import type { ModelManifest } from '../../protocol/model.ts'

/** Its bytes come with cpn: assets/models/lite-detector.onnx. */
export const liteDetector: ModelManifest = {
  name: 'lite-detector',
  version: '1',
  family: 'yunet',
  task: 'detect-faces',
  description: 'Small face detector of cpn’s own making, with five keypoints, any size in multiples of 32',
  sha256: 'fe87ae097069415ea1671265ef2d6cb41d21b950c72e3c3a226bf1971965b780',
  bytes: 237_851,
  licence: 'Apache-2.0',
  urls: [],
  preprocess: { channels: 'BGR', mean: [0, 0, 0], std: [1, 1, 1] },
  thresholds: { score: 0.6, nms: 0.3 },
}
