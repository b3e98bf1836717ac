import type { FamilyName, ModelManifest, Preprocess } from '../protocol/model.ts'

/** What a model added by hand gets where nothing is said: how most models of the family were trained. */
export interface FamilyDefaults {
  preprocess: Preprocess
  thresholds: ModelManifest['thresholds']
}

export const familyDefaults: Record<FamilyName, FamilyDefaults> = {
  yunet: {
    preprocess: { channels: 'BGR', mean: [0, 0, 0], std: [1, 1, 1] },
    thresholds: { score: 0.6, nms: 0.3 },
  },
  ultraface: {
    preprocess: { channels: 'RGB', mean: [127, 127, 127], std: [128, 128, 128] },
    thresholds: { score: 0.7, nms: 0.3 },
  },
  arcface: {
    preprocess: { channels: 'RGB', mean: [127.5, 127.5, 127.5], std: [127.5, 127.5, 127.5] },
    thresholds: { verification: 0.3, identification: 0.4 },
  },
  yolox: {
    preprocess: { channels: 'BGR', mean: [0, 0, 0], std: [1, 1, 1], pad: 114 },
    thresholds: { score: 0.3, nms: 0.45 },
  },
  classifier: {
    // Mean and standard deviation of ImageNet, times 255
    preprocess: { channels: 'RGB', mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375], crop: 0.875 },
    thresholds: {},
  },
}
