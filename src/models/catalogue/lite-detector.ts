import type { ModelManifest } from '../../protocol/model.ts'

/** Its bytes come with cpn: assets/models/lite-detector.onnx. */
export const liteDetector: ModelManifest = {
  name: 'lite-detector',
  version: '1',
  family: 'yunet',
  task: 'detect-faces',
  description: 'Small face detector of cpn’s own making, with five keypoints, any size in multiples of 32',
  sha256: 'd4ad262915b15af009efc8584a287fabef80adc1e6d41c3b7a8deb940dbdc6ac',
  bytes: 366_401,
  licence: 'Apache-2.0',
  urls: [],
  preprocess: { channels: 'BGR', mean: [0, 0, 0], std: [1, 1, 1] },
  thresholds: { score: 0.59, nms: 0.3 },
}
