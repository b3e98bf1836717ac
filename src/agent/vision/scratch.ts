/** Kept at most, enough for 16 megapixels: larger images are rare and get memory of their own. */
const keptBytes = 48 * 1024 ** 2

/** Memory for the pixels of one image at a time: fresh memory costs a fifth of a JPEG's decoding. */
export class Scratch {
  #memory = Buffer.alloc(0)

  /** Memory of the given size, with anything in it. Whoever took it before must be done with it. */
  take(bytes: number): Buffer {
    if (bytes > keptBytes) return Buffer.allocUnsafeSlow(bytes)
    if (this.#memory.length < bytes) this.#memory = Buffer.allocUnsafeSlow(bytes)
    return this.#memory.subarray(0, bytes)
  }
}
