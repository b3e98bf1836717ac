import type { DecodedImage } from './decode.ts'
import { checkPixels, decodeError } from './decode-errors.ts'
import { isRgbProfile } from './icc.ts'
import type { ImageFormat } from './image-format.ts'
import { type Sharp, sharp, toRaster } from './sharp.ts'

/** Decodes everything but JPEG: upright, in sRGB, with alpha where the file has it. */
export async function decodeOther(bytes: Uint8Array, format: ImageFormat, maxPixels: number): Promise<DecodedImage> {
  try {
    const { width, height, exif, icc } = await sharp(bytes, { failOn: 'none', limitInputPixels: false }).metadata()
    checkPixels(width, height, maxPixels)
    const stored = await toRaster(openFile(bytes, maxPixels).toColourspace('srgb'))
    const metadata = { kind: 'file', bytes, exif: exif !== undefined, icc: isRgbProfile(icc) } as const
    return { format, stored, orientation: 1, metadata }
  } catch (error) {
    throw decodeError(error)
  }
}

/** A sharp pipeline that begins with the first frame of a file, turned upright. */
export function openFile(bytes: Uint8Array, maxPixels?: number): Sharp {
  return sharp(bytes, { failOn: 'none', limitInputPixels: maxPixels ?? false, autoOrient: true })
}
