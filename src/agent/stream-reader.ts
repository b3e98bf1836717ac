import type { Readable } from 'node:stream'
import { CpnError } from '../common/errors.ts'

/** Reads a byte stream in parts of known length. Does not close the stream. */
export class StreamReader {
  readonly #chunks: AsyncIterator<Buffer>
  #rest: Buffer = Buffer.alloc(0)

  constructor(input: Readable) {
    this.#chunks = input.iterator({ destroyOnReturn: false })[Symbol.asyncIterator]()
  }

  /** The text up to the next newline, which is dropped. */
  async line(maxBytes: number): Promise<string> {
    const parts: Buffer[] = []
    let length = 0
    for (;;) {
      const chunk = await this.#next()
      const end = chunk.indexOf(10)
      parts.push(end < 0 ? chunk : chunk.subarray(0, end))
      length += chunk.length
      if (end >= 0) {
        this.#rest = chunk.subarray(end + 1)
        return Buffer.concat(parts).toString()
      }
      if (length > maxBytes) throw new CpnError('CPN_ERR_AGENT_PROTOCOL', 'the header of the upload has no end')
    }
  }

  /** The next `bytes` bytes, in pieces. */
  async *take(bytes: number): AsyncGenerator<Buffer> {
    for (let left = bytes; left > 0; ) {
      const chunk = await this.#next()
      this.#rest = chunk.subarray(left)
      const piece = chunk.subarray(0, left)
      left -= piece.length
      yield piece
    }
  }

  async #next(): Promise<Buffer> {
    if (this.#rest.length > 0) {
      const rest = this.#rest
      this.#rest = Buffer.alloc(0)
      return rest
    }
    const { value, done } = await this.#chunks.next()
    if (!done) return value
    throw new CpnError('CPN_ERR_TRANSFER', 'the upload ended before all files were here', { retryable: true })
  }
}
