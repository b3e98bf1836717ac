import type { ModelManifest } from '../../protocol/model.ts'

export const ultraface320: ModelManifest = {
  name: 'ultraface-320',
  version: '1',
  family: 'ultraface',
  task: 'detect-faces',
  description: 'Ultra-Light-Fast RFB-320 face detector without keypoints, 320x240',
  sha256: '34cd7e60aeff28744c657de7a3dc64e872d506741de66987f3426f2b79f88017',
  bytes: 1_270_727,
  licence: 'MIT',
  urls: [
    'https://raw.githubusercontent.com/Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB/dffdddda9794a50607cba8f318507a28c1c27cab/models/onnx/version-RFB-320.onnx',
  ],
  preprocess: { channels: 'RGB', mean: [127, 127, 127], std: [128, 128, 128] },
  thresholds: { score: 0.7, nms: 0.3 },
}
