import type { ModelManifest } from '../../protocol/model.ts'
import { familyDefaults } from '../defaults.ts'
import { coco80 } from './labels/coco-80.ts'

export const yoloxNano416: ModelManifest = {
  name: 'yolox-nano-416',
  version: '1',
  family: 'yolox',
  task: 'detect-objects',
  description: 'YOLOX-Nano: objects of the 80 classes of COCO, 416x416; the default of the pipeline objects',
  sha256: 'e8af074932d4ed7e232278e3055cefcdea3edf178874a3694ae292649fb464dd',
  bytes: 3_678_356,
  licence: 'Apache-2.0 (Megvii-BaseDetection/YOLOX, exported again)',
  urls: [
    'https://raw.githubusercontent.com/Bigisland1729/object-detection-models/7f3f2fa34b351e3d2af150893458106ad3f3a84f/yolox_nano.onnx',
  ],
  ...familyDefaults.yolox,
  labels: coco80,
}
