import { CpnError } from '../../common/errors.ts'
import { formatTitles, type ImageFormat } from './image-format.ts'

/** Throws CPN_ERR_IMAGE_TOO_LARGE for an image that has more pixels than are accepted. */
export function checkPixels(width: number, height: number, maxPixels: number): void {
  if (width * height <= maxPixels) return
  const size = `${width}x${height} pixels`
  throw new CpnError('CPN_ERR_IMAGE_TOO_LARGE', `the image has ${size}, more than the ${maxPixels} accepted`, {
    suggestions: ['Scale it down first, or accept more: --max-megapixels N'],
  })
}

/** What a decoder threw, in our terms. */
export function decodeError(error: unknown, format: ImageFormat): CpnError {
  if (error instanceof CpnError) return error
  const reason = reasonOf(error)
  const message = `the ${formatTitles[format]} cannot be decoded: ${reason}`
  if (/pixel limit/i.test(reason)) return new CpnError('CPN_ERR_IMAGE_TOO_LARGE', message, { cause: error })
  // Containers: libheif refuses image sequences and codecs that it lacks.
  const isContainer = format === 'avif' || format === 'heic'
  const code = isContainer && /unsupported/i.test(reason) ? 'CPN_ERR_IMAGE_UNSUPPORTED' : 'CPN_ERR_IMAGE_DECODE'
  return new CpnError(code, message, {
    cause: error,
    suggestions: ['Open the file in an image viewer: convert it there, or fetch it anew when that fails too.'],
  })
}

function reasonOf(error: unknown): string {
  const text = (error instanceof Error ? error.message : String(error)).replace(/^Input (buffer|file) /, '')
  const lines = text.split('\n').map((line) => line.trim().replace(/^has corrupt header: (?=.)/, ''))
  return lines.find((line) => line !== '')?.replace(/:$/, '') ?? 'the decoder gives no reason'
}
