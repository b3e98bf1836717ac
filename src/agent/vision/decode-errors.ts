import { CpnError } from '../../common/errors.ts'

/** Throws CPN_ERR_IMAGE_TOO_LARGE for an image that has more pixels than are accepted. */
export function checkPixels(width: number, height: number, maxPixels: number): void {
  if (width * height <= maxPixels) return
  const size = `${width}x${height} pixels`
  throw new CpnError('CPN_ERR_IMAGE_TOO_LARGE', `the image has ${size}, more than the ${maxPixels} accepted`, {
    suggestions: ['Scale it down first.'],
  })
}

/** What a decoder threw, in our terms. */
export function decodeError(error: unknown): CpnError {
  if (error instanceof CpnError) return error
  const reason = firstLine(error)
  if (/unsupported image format|operation is blocked/i.test(reason)) {
    return new CpnError('CPN_ERR_IMAGE_UNSUPPORTED', `the image cannot be read: ${reason}`, {
      cause: error,
      suggestions: ['Convert it to JPEG, PNG, WebP, AVIF, TIFF or GIF.'],
    })
  }
  if (/pixel limit/i.test(reason)) {
    return new CpnError('CPN_ERR_IMAGE_TOO_LARGE', `the image is too large: ${reason}`, { cause: error })
  }
  return new CpnError('CPN_ERR_IMAGE_DECODE', `the image is damaged: ${reason}`, {
    cause: error,
    suggestions: ['Open the file in an image viewer: if that fails too, fetch it anew from where it came.'],
  })
}

function firstLine(error: unknown): string {
  const lines = (error instanceof Error ? error.message : String(error)).split('\n').map((line) => line.trim())
  const line = lines.find((text) => text !== '') ?? 'the decoder gave no reason'
  return line.replace(/^Input (buffer|file) (has corrupt header: )?/, '')
}
