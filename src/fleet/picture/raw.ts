import { isRawPhoto } from '../../common/raw-photo.ts'
import type { PictureReader } from './picture.ts'

/** A camera's raw photo: how large its preview is only LibRaw knows, and no copy is one. */
export const raw: PictureReader = {
  signature: isRawPhoto,
  size: () => undefined,
  isWhole: () => false,
}
