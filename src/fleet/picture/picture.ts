import { avif } from './avif.ts'
import { gif } from './gif.ts'
import { heic } from './heic.ts'
import { jpeg } from './jpeg.ts'
import { png } from './png.ts'
import { raw } from './raw.ts'
import { tiff } from './tiff.ts'
import { webp } from './webp.ts'

export interface Size {
  width: number
  height: number
}

/** What can be told of a picture without decoding it. Nothing throws, whatever the bytes are. */
export interface PictureReader {
  /** The first bytes are those of the format. */
  signature(bytes: Buffer): boolean
  /** Pixels as the file has them, before any orientation; undefined when the file does not say. */
  size(bytes: Buffer): Size | undefined
  /** The structure leads from the first byte to the last one: nothing is missing and nothing follows. */
  isWhole(bytes: Buffer): boolean
}

/** A raw photo may look like a TIFF, and a HEIC has brands that an AVIF has as well: the order matters. */
const readers = { jpeg, png, webp, gif, raw, tiff, avif, heic } satisfies Record<string, PictureReader>

export interface Picture extends PictureReader {
  format: keyof typeof readers
}

/** The reader of a picture's format; undefined for anything else. */
export function pictureOf(bytes: Buffer): Picture | undefined {
  const found = Object.entries(readers).find(([, reader]) => reader.signature(bytes))
  return found && { format: found[0] as Picture['format'], ...found[1] }
}

/** The format that a picture's annotated copy has. */
export function copyFormat(format: Picture['format']): Picture['format'] {
  return format === 'heic' || format === 'raw' ? 'jpeg' : format
}
