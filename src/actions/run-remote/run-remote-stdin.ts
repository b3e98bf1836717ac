import { randomBytes } from 'node:crypto'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'

const chunkBytes = 64 * 1024

/**
 * A stream that many read from its beginning, each at its own pace and later ones as well: what has come rests in a
 * nameless temporary file. Disposing lets go of it and destroys the source.
 */
export class Spool implements AsyncDisposable {
  readonly #source: Readable
  readonly #file: FileHandle
  #bytes = 0
  #ended = false
  #failure: unknown
  #changed = Promise.withResolvers<void>()

  private constructor(source: Readable, file: FileHandle) {
    this.#source = source
    this.#file = file
    void this.#fill()
  }

  static async of(source: Readable): Promise<Spool> {
    const path = join(tmpdir(), `cpn-stdin-${randomBytes(8).toString('hex')}`)
    const file = await open(path, 'wx+', 0o600)
    // Without a name nothing is left of it, however this process ends.
    await unlink(path)
    return new Spool(source, file)
  }

  /** True once the source has ended without a byte. */
  get isEmpty(): boolean {
    return this.#ended && this.#bytes === 0
  }

  /** Everything from the beginning, as it comes; ends with the source's error. */
  async *read(): AsyncGenerator<Buffer> {
    for (let position = 0; ; ) {
      while (position < this.#bytes) {
        const length = Math.min(chunkBytes, this.#bytes - position)
        const { buffer, bytesRead } = await this.#file.read(Buffer.alloc(length), 0, length, position)
        position += bytesRead
        yield buffer.subarray(0, bytesRead)
      }
      if (this.#failure !== undefined) throw this.#failure
      if (this.#ended) return
      await this.#changed.promise
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#source.destroy()
    await this.#file.close()
  }

  async #fill(): Promise<void> {
    try {
      for await (const chunk of this.#source as AsyncIterable<Buffer>) {
        await this.#file.appendFile(chunk)
        this.#bytes += chunk.length
        this.#tell()
      }
    } catch (error) {
      this.#failure = error
    } finally {
      this.#ended = true
      this.#tell()
    }
  }

  #tell(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}
