import type { ModelManifest } from '../../protocol/model.ts'

/** Its bytes come with cpn: assets/models/lite-embedder.onnx. */
export const liteEmbedder: ModelManifest = {
  name: 'lite-embedder',
  version: '1',
  family: 'arcface',
  task: 'embed-faces',
  description: 'Small embedder of cpn’s own making: 128 numbers per aligned face of 112x112',
  sha256: 'fff725b16920ab24dc2c6e530a05e8b38dc3839607d0e99a4dde6a8c9f96e4ef',
  bytes: 3_981_163,
  licence: 'Apache-2.0',
  urls: [],
  preprocess: { channels: 'RGB', mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] },
  thresholds: { verification: 0.285, identification: 0.4, margin: 0.05 },
}
