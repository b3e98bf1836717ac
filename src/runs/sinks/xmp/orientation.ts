import { open } from 'node:fs/promises'
import ExifReader from 'exifreader'
import { isRawPhoto } from '../../../common/raw-photo.ts'

/** What comes before a JPEG's picture; its EXIF block, of at most 64 KiB, is among the first of that. */
const headBytes = 256 * 1024

/**
 * The EXIF orientation, 1 to 8, of a picture's file; 1 where it says none, undefined for a raw photo that does not tell it
 * in a way that is known here. Rejects with the system's error for a file that cannot be read.
 */
export async function readOrientation(path: string): Promise<number | undefined> {
  await using file = await open(path, 'r')
  const buffer = Buffer.alloc(headBytes)
  const { bytesRead } = await file.read(buffer, 0, buffer.length, 0)
  const head = buffer.subarray(0, bytesRead)
  const raw = exifOfRaw(head)
  if (raw) return orientationTag(raw)
  const start = head.toString('latin1', 0, 8)
  if (start.startsWith('\xff\xd8')) return orientationOf(head)
  // HEIC and AVIF have transformations of their own for that, which are part of how they are decoded.
  if (start.endsWith('ftyp')) return 1
  // Here anything may lie at the end. What was read from a given place has not moved on in the file.
  const whole = await file.readFile()
  return isRawPhoto(whole) ? orientationTag(whole) : orientationOf(whole)
}

/** @param bytes a picture's file or, of a JPEG, its beginning; no raw photo */
export function orientationOf(bytes: Buffer): number {
  return orientationTag(bytes) ?? 1
}

function orientationTag(bytes: Buffer): number | undefined {
  try {
    const { Orientation } = ExifReader.load(bytes, { includeTags: { exif: ['Orientation'] } })
    const value = Number(Orientation?.value)
    return value >= 1 && value <= 8 ? value : undefined
  } catch {
    // No EXIF block, or one that nobody can read.
    return undefined
  }
}

/** The JPEG or TIFF with the EXIF block of a raw photo that is neither itself; undefined for all other files. */
function exifOfRaw(head: Buffer): Buffer | undefined {
  const start = head.toString('latin1', 0, 16)
  // Fujifilm says where its preview is.
  if (start.startsWith('FUJIFILMCCD-RAW')) return head.subarray(head.length < 88 ? head.length : head.readUInt32BE(84))
  // Canon CR3: a box whose content is a TIFF.
  if (start.slice(4, 12) === 'ftypcrx ') {
    const box = head.indexOf('CMT1', 0, 'latin1')
    return box < 4 ? Buffer.alloc(0) : head.subarray(box + 4, box - 4 + head.readUInt32BE(box - 4))
  }
  // Olympus and Panasonic: a TIFF but for its number.
  if (/^II(?:RO|RS|U\0)/.test(start)) return Buffer.concat([Buffer.from('II*\0'), head.subarray(4)])
  if (start.startsWith('MMOR')) return Buffer.concat([Buffer.from('MM\0*'), head.subarray(4)])
  return undefined
}
