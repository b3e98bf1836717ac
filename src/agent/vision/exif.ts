const orientationTag = 0x0112
const exifFolderTag = 0x8769
/** ImageWidth, PixelXDimension: how wide the picture is. */
const widthTags = [0x0100, 0xa002]
const heightTags = [0x0101, 0xa003]

/** A field of an image file directory, with numbers of 16 or 32 bits read. */
interface Field {
  tag: number
  /** Undefined for fields that are no single whole number. */
  value: number | undefined
  /** Writes a whole number in the field's own width. */
  set(value: number): void
}

/** The turns and flips (1 to 8) that an EXIF block (TIFF structure) asks for; 1 when it asks for none or is broken. */
export function exifOrientation(exif: Uint8Array): number {
  const value = new Directory(exif).fields().find(({ tag }) => tag === orientationTag)?.value
  return value !== undefined && value >= 1 && value <= 8 ? value : 1
}

/**
 * A copy of an EXIF block for an upright picture of the given size: orientation 1, its width and height where it names
 * them, no thumbnail, since that would still show the picture as it was. Undefined for a block that cannot be read.
 */
export function uprightExif(exif: Uint8Array, width: number, height: number): Uint8Array | undefined {
  const copy = Uint8Array.from(exif)
  const main = new Directory(copy)
  const fields = main.fields()
  if (fields.length === 0) return undefined
  const folder = fields.find(({ tag }) => tag === exifFolderTag)?.value
  for (const field of [...fields, ...(folder === undefined ? [] : new Directory(copy, folder).fields())]) {
    if (field.tag === orientationTag) field.set(1)
    if (widthTags.includes(field.tag)) field.set(width)
    if (heightTags.includes(field.tag)) field.set(height)
  }
  main.unlinkNext()
  return copy
}

/** One directory of a TIFF structure; reads nothing beyond the block, however its offsets lie. */
class Directory {
  readonly #view: DataView
  readonly #little: boolean
  readonly #start: number

  constructor(block: Uint8Array, start?: number) {
    this.#view = new DataView(block.buffer, block.byteOffset, block.byteLength)
    this.#little = block[0] === 0x49
    const valid = block.length >= 8 && this.#view.getUint16(2, this.#little) === 42
    this.#start = valid ? (start ?? this.#view.getUint32(4, this.#little)) : block.length
  }

  fields(): Field[] {
    return Array.from({ length: this.#count() }, (_, i) => this.#field(this.#start + 2 + i * 12))
  }

  /** Cuts the chain of directories here. */
  unlinkNext(): void {
    const end = this.#start + 2 + this.#count() * 12
    if (end + 4 <= this.#view.byteLength) this.#view.setUint32(end, 0, this.#little)
  }

  #count(): number {
    if (this.#start + 2 > this.#view.byteLength) return 0
    const room = Math.floor((this.#view.byteLength - this.#start - 2) / 12)
    return Math.min(room, this.#view.getUint16(this.#start, this.#little))
  }

  #field(at: number): Field {
    const view = this.#view
    const little = this.#little
    const type = view.getUint16(at + 2, little)
    const single = view.getUint32(at + 4, little) === 1
    const [short, long] = [single && type === 3, single && type === 4]
    return {
      tag: view.getUint16(at, little),
      value: short ? view.getUint16(at + 8, little) : long ? view.getUint32(at + 8, little) : undefined,
      set(value) {
        if (short) view.setUint16(at + 8, value, little)
        if (long) view.setUint32(at + 8, value, little)
      },
    }
  }
}
