import { kernelBytes } from './dot-products-bytes.ts'

/** Components of a face's embedding. */
export const embeddingLength = 128

/** What dot-products.wat exports. */
interface Kernel {
  above(face: number, faces: number, block: number, rows: number, dims: number, floor: number, out: number): number
}

/** Rows of a block, whose components lie interleaved. */
const blockRows = 16
/** As many faces as stay in the first-level cache beside a block. */
const facesAtOnce = 32
/** Rows per call; with the faces it bounds what one call can write. */
const rowsAtOnce = 2048
const rowBytes = embeddingLength * 4
// The kernel's scratch space comes first.
const facesAt = 16
const outAt = facesAt + facesAtOnce * rowBytes
const blocksAt = outAt + facesAtOnce * rowsAtOnce * 8
const pageBytes = 65_536

let compiled: WebAssembly.Module | undefined

/**
 * Embeddings that others are compared with, once in the memory of a WebAssembly kernel. What is compared gives the same
 * bits on every platform, and the same as {@link dotProduct}.
 */
export class DotProducts {
  readonly rows: number
  readonly #kernel: Kernel
  readonly #floats: Float32Array
  readonly #positions: Int32Array

  /** @param rows how many embeddings there are going to be; all are zero until they are set */
  constructor(rows: number) {
    this.rows = rows
    const bytes = blocksAt + Math.ceil(rows / blockRows) * blockRows * rowBytes
    const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / pageBytes) })
    compiled ??= new WebAssembly.Module(Buffer.from(kernelBytes, 'base64'))
    this.#kernel = new WebAssembly.Instance(compiled, { js: { memory } }).exports as unknown as Kernel
    this.#floats = new Float32Array(memory.buffer)
    this.#positions = new Int32Array(memory.buffer)
  }

  /** Copies an embedding to a row. */
  set(row: number, embedding: Float32Array): void {
    checkLength(embedding)
    const first = this.#firstOf(row)
    for (let i = 0; i < embeddingLength; i++) this.#floats[first + i * blockRows] = embedding[i]!
  }

  /** A copy of a row. */
  get(row: number): Float32Array {
    const first = this.#firstOf(row)
    return Float32Array.from({ length: embeddingLength }, (_, i) => this.#floats[first + i * blockRows]!)
  }

  /**
   * Tells of every face and row whose dot product is `floor` or more, by their numbers, always in the same order.
   * What holds NaN is like nothing.
   *
   * @param from first row that is compared
   */
  above(
    faces: readonly Float32Array[],
    floor: number,
    found: (face: number, row: number, product: number) => void,
    from = 0,
  ): void {
    faces.forEach(checkLength)
    for (let first = 0; first < faces.length; first += facesAtOnce) {
      const some = faces.slice(first, first + facesAtOnce)
      for (const [i, face] of some.entries()) this.#floats.set(face, (facesAt + i * rowBytes) / 4)
      // The kernel begins with whole blocks.
      for (let start = from - (from % blockRows); start < this.rows; start += rowsAtOnce) {
        const rows = Math.min(rowsAtOnce, this.rows - start)
        const block = blocksAt + start * rowBytes
        const count = this.#kernel.above(facesAt, some.length, block, rows, embeddingLength, floor, outAt)
        for (let at = outAt / 4; at < outAt / 4 + count * 2; at += 2) {
          const position = this.#positions[at]!
          const row = start + (position % rows)
          if (row >= from) found(first + Math.floor(position / rows), row, this.#floats[at + 1]!)
        }
      }
    }
  }

  #firstOf(row: number): number {
    if (!(row >= 0 && row < this.rows)) throw new RangeError(`there is no row ${row} of ${this.rows}`)
    const inBlock = row % blockRows
    return blocksAt / 4 + (row - inBlock) * embeddingLength + inBlock
  }
}

/** The kernel's result for one pair, in JavaScript: 32-bit floats, added in the order of the components. */
export function dotProduct(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum = Math.fround(sum + Math.fround(a[i]! * b[i]!))
  return sum
}

function checkLength(embedding: Float32Array): void {
  if (embedding.length !== embeddingLength) throw new RangeError(`an embedding has no ${embedding.length} components`)
}
