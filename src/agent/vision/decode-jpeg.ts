import jpegTurbo from '@julusian/jpeg-turbo'
import type { DecodedImage } from './decode.ts'
import { checkPixels, decodeError } from './decode-errors.ts'
import { exifOrientation } from './exif.ts'
import { isRgbProfile } from './icc.ts'
import { type JpegHeader, readJpegHeader } from './jpeg-header.ts'
import { asBuffer, type Raster } from './raster.ts'
import type { Scratch } from './scratch.ts'
import { sharp, toRaster } from './sharp.ts'

/** Decodes a JPEG: libjpeg-turbo where it is whole and of a plain kind, else sharp, which forgives more. */
export async function decodeJpeg(bytes: Uint8Array, maxPixels: number, scratch: Scratch): Promise<DecodedImage> {
  const header = readJpegHeader(bytes)
  if (header) checkPixels(header.width, header.height, maxPixels)
  const stored = decodeFast(bytes, header, scratch) ?? (await decodeForgiving(bytes, header, maxPixels))
  const exif = header?.exif
  return {
    format: 'jpeg',
    stored,
    orientation: exif ? exifOrientation(exif) : 1,
    metadata: { kind: 'blocks', exif, icc: isPlain(header) && isRgbProfile(header.icc) ? header.icc : undefined },
  }
}

/** Grey or colour of 8 bits, whose pixels can be kept in their own colour space. */
function isPlain(header: JpegHeader | undefined): header is JpegHeader {
  return header !== undefined && header.precision === 8 && (header.components === 1 || header.components === 3)
}

function decodeFast(bytes: Uint8Array, header: JpegHeader | undefined, scratch: Scratch): Raster | undefined {
  if (!isPlain(header)) return undefined
  try {
    const memory = scratch.take(header.width * header.height * 3)
    const options = { format: jpegTurbo.FORMAT_RGB }
    const { data, width, height } = jpegTurbo.decompressSync(asBuffer(bytes), memory, options)
    return { data, width, height, channels: 3 }
  } catch {
    // It throws for mere warnings as well.
    return undefined
  }
}

async function decodeForgiving(bytes: Uint8Array, header: JpegHeader | undefined, maxPixels: number): Promise<Raster> {
  try {
    const options = { failOn: 'none', limitInputPixels: maxPixels, ignoreIcc: isPlain(header) } as const
    return await toRaster(sharp(bytes, options).toColourspace('srgb'))
  } catch (error) {
    throw decodeError(error, 'jpeg')
  }
}
