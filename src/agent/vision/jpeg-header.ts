/** What a JPEG says before its pixels. */
export interface JpegHeader {
  width: number
  height: number
  /** 1 grey, 3 colour, 4 CMYK. */
  components: number
  /** Bits a sample. */
  precision: number
  /** EXIF block (TIFF structure), a view of the file's bytes. */
  exif: Uint8Array | undefined
  /** ICC profile. */
  icc: Uint8Array | undefined
}

const exifStart = Buffer.from('Exif\0\0', 'latin1')
const iccStart = Buffer.from('ICC_PROFILE\0', 'latin1')

/** Reads a JPEG's segments up to its pixels; undefined when there is no frame header. */
export function readJpegHeader(bytes: Uint8Array): JpegHeader | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const profile: Buffer[] = []
  let exif: Uint8Array | undefined
  let frame: Buffer | undefined
  for (const { marker, body } of segments(file)) {
    if (marker === 0xe1 && exif === undefined && startsWith(body, exifStart)) exif = body.subarray(exifStart.length)
    if (marker === 0xe2 && startsWith(body, iccStart)) profile[body[12] ?? 0] ??= body.subarray(14)
    if (isFrame(marker) && body.length >= 6) frame ??= body
  }
  if (!frame) return undefined
  return {
    precision: frame[0]!,
    height: frame.readUInt16BE(1),
    width: frame.readUInt16BE(3),
    components: frame[5]!,
    exif,
    icc: profile.length === 0 ? undefined : Buffer.concat(profile.filter((part) => part !== undefined)),
  }
}

/** Segments up to the start of scan; ends early where the structure breaks. */
function* segments(file: Buffer): Generator<{ marker: number; body: Buffer }> {
  let at = 2
  while (at + 4 <= file.length) {
    const start = file.indexOf(0xff, at)
    if (start < 0 || start + 4 > file.length) return
    const marker = file[start + 1]!
    const stuffing = marker === 0xff || marker === 0 || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)
    if (marker === 0xda || marker === 0xd9) return
    if (stuffing) {
      at = start + 1 + Number(marker !== 0xff)
      continue
    }
    const length = file.readUInt16BE(start + 2)
    if (length < 2) return
    yield { marker, body: file.subarray(start + 4, start + 2 + length) }
    at = start + 2 + length
  }
}

/** Start of frame markers, without the tables that share their range. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
}

function startsWith(body: Buffer, start: Buffer): boolean {
  return body.subarray(0, start.length).equals(start)
}
