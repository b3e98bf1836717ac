import type { ModelManifest } from '../../protocol/model.ts'
import { liteDetector } from './lite-detector.ts'
import { liteEmbedder } from './lite-embedder.ts'
import { mobilefacenet112 } from './mobilefacenet-112.ts'
import { mobilenetv2Int8 } from './mobilenetv2-int8.ts'
import { sface2021dec } from './sface-2021dec.ts'
import { ultraface320 } from './ultraface-320.ts'
import { yoloxNano416 } from './yolox-nano-416.ts'
import { yunet2023mar } from './yunet-2023mar.ts'
import { yunetSDynamic } from './yunet-s-dynamic.ts'

/** Every model cpn knows, the default detector first. */
export function catalogue(): ModelManifest[] {
  return [
    yunetSDynamic,
    yunet2023mar,
    ultraface320,
    liteDetector,
    mobilefacenet112,
    sface2021dec,
    liteEmbedder,
    yoloxNano416,
    mobilenetv2Int8,
  ]
}
