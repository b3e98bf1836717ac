import { open } from 'node:fs/promises'
import ExifReader from 'exifreader'

/** What comes before a JPEG's picture; its EXIF block, of at most 64 KiB, is among the first of that. */
const jpegHeadBytes = 256 * 1024

/**
 * The EXIF orientation, 1 to 8, of a picture's file; 1 where it says none. Rejects with the system's error for a file that
 * cannot be read.
 */
export async function readOrientation(path: string): Promise<number> {
  await using file = await open(path, 'r')
  const head = Buffer.alloc(jpegHeadBytes)
  const { bytesRead } = await file.read(head, 0, head.length, 0)
  if (head.readUInt16BE(0) === 0xffd8) return orientationOf(head.subarray(0, bytesRead))
  // AVIF has a transformation of its own for that, which is part of how it is decoded.
  if (head.toString('latin1', 4, 8) === 'ftyp') return 1
  return orientationOf(await file.readFile().then((rest) => Buffer.concat([head.subarray(0, bytesRead), rest])))
}

/** @param bytes a picture's file or, of a JPEG, its beginning */
export function orientationOf(bytes: Buffer): number {
  try {
    const { Orientation } = ExifReader.load(bytes, { includeTags: { exif: ['Orientation'] } })
    const value = Number(Orientation?.value)
    return value >= 1 && value <= 8 ? value : 1
  } catch {
    // No EXIF block, or one that nobody can read.
    return 1
  }
}
