import type { ModelManifest } from '../../protocol/model.ts'

export const mobilefacenet112: ModelManifest = {
  name: 'mobilefacenet-112',
  version: '1',
  family: 'arcface',
  task: 'embed-faces',
  description: 'MobileFaceNet: an embedding of 128 numbers per aligned face of 112x112',
  sha256: 'e0974ec4c84ae30781e9b0a320c37c6705944d4532bfa9fb0c083755b19dde14',
  bytes: 3_981_135,
  licence: 'Apache-2.0 by inference (foamliu/MobileFaceNet)',
  urls: [
    'https://raw.githubusercontent.com/rit5k0005296-star/SmartStorage-RV1126B/c82083740e324d64677418ceff207ff51efe2c51/models/mobilefacenet.onnx',
  ],
  // Mean and standard deviation of ImageNet, times 255
  preprocess: { channels: 'RGB', mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] },
  thresholds: { verification: 0.285, identification: 0.4, margin: 0.05 },
}
