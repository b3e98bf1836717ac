const segmentBytes = 65_533
const iccStart = Buffer.from('ICC_PROFILE\0', 'latin1')
const exifStart = Buffer.from('Exif\0\0', 'latin1')

/** An encoded JPEG with EXIF block and ICC profile put in front of its tables; what does not fit a JPEG is left out. */
export function insertMetadata(jpeg: Uint8Array, exif?: Uint8Array, icc?: Uint8Array): Buffer {
  const at = metadataPosition(jpeg)
  const segments = [...(exif ? exifSegments(exif) : []), ...(icc ? iccSegments(icc) : [])]
  return Buffer.concat([jpeg.subarray(0, at), ...segments, jpeg.subarray(at)])
}

/** Behind the start of image and the JFIF segment, which has to come first. */
function metadataPosition(jpeg: Uint8Array): number {
  return jpeg[2] === 0xff && jpeg[3] === 0xe0 ? 4 + jpeg[4]! * 256 + jpeg[5]! : 2
}

function exifSegments(exif: Uint8Array): Buffer[] {
  if (exif.length + exifStart.length > segmentBytes) return []
  return [segment(0xe1, exifStart, exif)]
}

/** A profile is cut into numbered segments (ICC.1 annex B.4). */
function iccSegments(icc: Uint8Array): Buffer[] {
  const room = segmentBytes - iccStart.length - 2
  const count = Math.ceil(icc.length / room)
  if (count > 255) return []
  return Array.from({ length: count }, (_, i) =>
    segment(0xe2, iccStart, Buffer.from([i + 1, count]), icc.subarray(i * room, (i + 1) * room)),
  )
}

function segment(marker: number, ...parts: Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 2)
  return Buffer.concat([Buffer.from([0xff, marker, length >> 8, length & 0xff]), ...parts])
}
