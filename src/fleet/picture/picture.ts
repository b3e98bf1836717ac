import { avif } from './avif.ts'
import { gif } from './gif.ts'
import { jpeg } from './jpeg.ts'
import { png } from './png.ts'
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

const readers = { jpeg, png, webp, gif, tiff, avif } satisfies Record<string, PictureReader>

export interface Picture extends PictureReader {
  format: keyof typeof readers
}

/** The reader of a picture's format; undefined for anything else. */
export function pictureOf(bytes: Buffer): Picture | undefined {
  const found = Object.entries(readers).find(([, reader]) => reader.signature(bytes))
  return found && { format: found[0] as Picture['format'], ...found[1] }
}
