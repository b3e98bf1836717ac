import { CpnError } from '../../common/errors.ts'
import type { DecodedImage } from './decode.ts'
import { decodeError } from './decode-errors.ts'
import { decodeJpeg } from './decode-jpeg.ts'
import { largestPreview, type RawPreview } from './libraw.ts'
import type { Scratch } from './scratch.ts'

/** Long edge of the smallest preview that faces are looked for on: on a thumbnail nobody would be found. */
const smallestEdge = 640

/** Decodes the largest preview that the camera put into a raw photo; the sensor's own pixels are never developed. */
export async function decodeRaw(bytes: Uint8Array, maxPixels: number, scratch: Scratch): Promise<DecodedImage> {
  const { bytes: jpeg, orientation, sensor } = await findPreview(bytes)
  const image = await decodeJpeg(jpeg, maxPixels, scratch)
  const { width, height } = image.stored
  if (Math.max(width, height) < Math.min(smallestEdge, Math.max(sensor.width, sensor.height))) {
    throw unsupported(`the raw photo has no preview larger than ${width}x${height}`)
  }
  // Some cameras turn the preview themselves.
  const isUpright = orientation > 4 && width < height !== sensor.width < sensor.height
  return { ...image, orientation: isUpright ? 1 : orientation }
}

async function findPreview(bytes: Uint8Array): Promise<RawPreview> {
  const preview = await largestPreview(bytes).catch((cause) => {
    throw decodeError(new Error('it is damaged, or of a camera that LibRaw does not know', { cause }), 'raw')
  })
  if (preview) return preview
  throw unsupported('the raw photo has no JPEG preview')
}

function unsupported(message: string): CpnError {
  return new CpnError('CPN_ERR_IMAGE_UNSUPPORTED', message, {
    suggestions: ['Develop it, and give cpn the JPEG or TIFF.'],
  })
}
