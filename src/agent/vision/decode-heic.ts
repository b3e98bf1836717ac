import type { DecodedImage } from './decode.ts'
import { checkPixels, decodeError } from './decode-errors.ts'
import { isRgbProfile } from './icc.ts'
import { readHeif } from './libheif.ts'
import { flatten } from './raster.ts'
import type { Scratch } from './scratch.ts'

/** Decodes the primary picture of a HEIC, upright; its copy will be a JPEG. */
export async function decodeHeic(bytes: Uint8Array, maxPixels: number, scratch: Scratch): Promise<DecodedImage> {
  try {
    return await readHeif(bytes, (picture) => {
      checkPixels(picture.width, picture.height, maxPixels)
      const stored = flatten(picture.pixels(maxPixels, scratch))
      const icc = isRgbProfile(picture.icc) ? picture.icc : undefined
      return { format: 'jpeg', stored, orientation: 1, metadata: { kind: 'blocks', exif: picture.exif, icc } }
    })
  } catch (error) {
    throw decodeError(error, 'heic')
  }
}
