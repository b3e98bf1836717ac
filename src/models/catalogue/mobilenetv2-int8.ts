import type { ModelManifest } from '../../protocol/model.ts'
import { familyDefaults } from '../defaults.ts'
import { imagenet1000 } from './labels/imagenet-1000.ts'

export const mobilenetv2Int8: ModelManifest = {
  name: 'mobilenetv2-int8',
  version: '1',
  family: 'classifier',
  task: 'classify',
  description: 'MobileNetV2 in 8 bits: the 1000 classes of ImageNet, 224x224; the default of the pipeline classify',
  sha256: 'b7d488aec4a77a97b6eaa2f1bf3663919f5ebf5131280184d4600ac180530720',
  bytes: 3_668_772,
  licence: 'unconfirmed; the weights are probably BSD-3-Clause (torchvision)',
  // No public address of these bytes is known: whoever has the file brings it.
  urls: [],
  ...familyDefaults.classifier,
  labels: imagenet1000,
}
