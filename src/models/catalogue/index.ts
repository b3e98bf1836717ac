import type { ModelManifest } from '../../protocol/model.ts'
import { mobilefacenet112 } from './mobilefacenet-112.ts'
import { ultraface320 } from './ultraface-320.ts'
import { yunet2023mar } from './yunet-2023mar.ts'
import { yunetSDynamic } from './yunet-s-dynamic.ts'

/** Every model cpn knows where to get, the default detector first. */
export function catalogue(): ModelManifest[] {
  return [yunetSDynamic, yunet2023mar, ultraface320, mobilefacenet112]
}
