import type { ModelManifest } from '../../protocol/model.ts'

/** Its bytes come with cpn: assets/models/lite-embedder.onnx. */
export const liteEmbedder: ModelManifest = {
  name: 'lite-embedder',
  version: '1',
  family: 'arcface',
  task: 'embed-faces',
  description: 'Small embedder of cpn’s own making: 128 numbers per aligned face of 112x112',
  sha256: '6dc2e5a6cae3a026f87ae81fb90b5ad0e2e9e0c385d1aa4c56cbe0a24958d529',
  bytes: 2_464_533,
  licence: 'Apache-2.0',
  urls: [],
  preprocess: { channels: 'RGB', mean: [127.5, 127.5, 127.5], std: [128, 128, 128] },
  thresholds: { verification: 0.26, identification: 0.42, margin: 0.05 },
}
