import { CpnError } from '../../common/errors.ts'
import { decodeHeic } from './decode-heic.ts'
import { decodeJpeg } from './decode-jpeg.ts'
import { decodeOther } from './decode-other.ts'
import { decodeRaw } from './decode-raw.ts'
import { type CopyFormat, describeContent, imageFormat } from './image-format.ts'
import { upright } from './orient.ts'
import type { Raster } from './raster.ts'
import { Scratch } from './scratch.ts'
import { fromRaster, toRaster } from './sharp.ts'

/** A decoded image. */
export interface DecodedImage {
  /** Of the copy. */
  format: CopyFormat
  /** Pixels as the file has them; `orientation` (EXIF, 1 to 8) is still to be applied. */
  stored: Raster
  orientation: number
  /** What goes back into the encoded copy. */
  metadata: Metadata
}

export type Metadata =
  /** EXIF block and ICC profile of a JPEG, to be written as they are. */
  | { kind: 'blocks'; exif: Uint8Array | undefined; icc: Uint8Array | undefined }
  /** The file itself, out of which sharp takes what is wanted. */
  | { kind: 'file'; bytes: Uint8Array; exif: boolean; icc: boolean }

/**
 * Decodes an image, its first frame if it has several. Damaged files give as much as the decoder can make out.
 * Throws CPN_ERR_IMAGE_UNSUPPORTED, CPN_ERR_IMAGE_DECODE, or CPN_ERR_IMAGE_TOO_LARGE before any pixel is decoded.
 * @param maxPixels largest image accepted, width × height
 * @param scratch may hold the pixels; the image is good until it is used again
 */
export async function decodeImage(
  bytes: Uint8Array,
  maxPixels: number,
  scratch = new Scratch(),
): Promise<DecodedImage> {
  if (bytes.length === 0) throw new CpnError('CPN_ERR_IMAGE_DECODE', 'the file is empty')
  const format = imageFormat(bytes)
  if (format === undefined) throw unsupported(bytes)
  if (format === 'jpeg') return decodeJpeg(bytes, maxPixels, scratch)
  if (format === 'heic') return decodeHeic(bytes, maxPixels, scratch)
  return format === 'raw' ? decodeRaw(bytes, maxPixels, scratch) : decodeOther(bytes, format, maxPixels)
}

function unsupported(bytes: Uint8Array): CpnError {
  const kind = describeContent(bytes)
  const message = kind ? `the file is ${kind}, which cpn does not read` : 'the file is not an image of a known kind'
  return new CpnError('CPN_ERR_IMAGE_UNSUPPORTED', message, {
    suggestions: ['Convert it to JPEG, PNG, WebP, AVIF, HEIC, TIFF or GIF.'],
  })
}

/** Size of the upright image. */
export function uprightSize({ stored, orientation }: DecodedImage): { width: number; height: number } {
  const { width, height } = stored
  return orientation > 4 ? { width: height, height: width } : { width, height }
}

/** The upright image, shrunk so that no edge is longer than `edge`. */
export async function viewOf({ stored, orientation }: DecodedImage, edge: number): Promise<Raster> {
  if (Math.max(stored.width, stored.height) <= edge) return upright(stored, orientation)
  const shrunk = fromRaster(stored).resize({ width: edge, height: edge, fit: 'inside', kernel: 'cubic' })
  return upright(await toRaster(shrunk), orientation)
}
