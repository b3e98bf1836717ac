import type { ModelManifest } from '../../protocol/model.ts'

/** Its bytes come with cpn: assets/models/lite-embedder.onnx. */
export const liteEmbedder: ModelManifest = {
  name: 'lite-embedder',
  version: '1',
  family: 'arcface',
  task: 'embed-faces',
  description: 'Small embedder of cpn’s own making: 128 numbers per aligned face of 112x112',
  sha256: '2d6c1bc69f6b62499a5edec4c4295fc84a710e67825e35ee6ad06430e9f1f712',
  bytes: 2_464_533,
  licence: 'Apache-2.0',
  urls: [],
  preprocess: { channels: 'RGB', mean: [127.5, 127.5, 127.5], std: [128, 128, 128] },
  thresholds: { verification: 0.26, identification: 0.42, margin: 0.05 },
}
