import type { DecodedImage } from './decode.ts'
import { checkPixels, decodeError } from './decode-errors.ts'
import { isRgbProfile } from './icc.ts'
import type { CopyFormat } from './image-format.ts'
import { type Sharp, sharp, toRaster } from './sharp.ts'

/** Decodes PNG, WebP, AVIF, TIFF and GIF: upright, with alpha where the file has it. */
export async function decodeOther(bytes: Uint8Array, format: CopyFormat, maxPixels: number): Promise<DecodedImage> {
  try {
    const { width, height, exif, icc } = await sharp(bytes, { failOn: 'none', limitInputPixels: false }).metadata()
    checkPixels(width, height, maxPixels)
    // Pixels stay in an RGB profile's own space, where they are written back; all else becomes sRGB.
    const ignoreIcc = isRgbProfile(icc)
    const stored = await toRaster(openFile(bytes, { limitInputPixels: maxPixels, ignoreIcc }).toColourspace('srgb'))
    const metadata = { kind: 'file', bytes, exif: exif !== undefined, icc: ignoreIcc } as const
    return { format, stored, orientation: 1, metadata }
  } catch (error) {
    throw decodeError(error, format)
  }
}

/** A sharp pipeline that begins with the first frame of a file, turned upright. */
export function openFile(bytes: Uint8Array, options: { limitInputPixels: number | false; ignoreIcc: boolean }): Sharp {
  return sharp(bytes, { failOn: 'none', autoOrient: true, ...options })
}
