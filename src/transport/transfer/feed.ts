import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { unlessAborted } from '../../common/deadline.ts'
import { collect } from '../collect.ts'
import type { ExecResult, Transport } from '../transport.ts'
import { transferError } from './failure.ts'

/** A host that takes no byte for so long does not work any more. */
const stallMs = 120_000

/** Runs a script with these bytes as its stdin. What breaks here is thrown; what breaks there is in its exit. */
export async function feedScript(
  transport: Transport,
  script: string,
  chunks: AsyncIterable<Buffer>,
  signal: AbortSignal,
): Promise<ExecResult> {
  const stalled = new AbortController()
  const ended = AbortSignal.any([signal, stalled.signal])
  const late = transferError(transport.host, `the host took no more bytes for ${stallMs / 1000} s`)
  const timer = setTimeout(() => stalled.abort(late), stallMs)
  const remote = await transport.spawn(script, { signal: ended })
  const output = Promise.all([collect(remote.stdout, 64 * 1024), collect(remote.stderr, 64 * 1024)])
  output.catch(() => undefined)
  const source = new Source(chunks, () => timer.refresh())
  try {
    // Whoever ends first: a script that gave up says why in its exit.
    const sending = pipeline(Readable.from(source), remote.stdin, { signal: ended }).catch(() => undefined)
    await Promise.race([sending, remote.exited])
    ended.throwIfAborted()
    if (source.error !== undefined) throw source.error
    clearTimeout(timer)
    const exit = await unlessAborted(remote.exited, signal)
    const [stdout, stderr] = await output
    return { ...exit, stdout, stderr }
  } catch (error) {
    remote.destroy()
    throw error
  } finally {
    clearTimeout(timer)
  }
}

/** Remembers the error of its chunks: a broken pipe would hide it. */
class Source implements AsyncIterable<Buffer> {
  error: unknown
  readonly #chunks: AsyncIterable<Buffer>
  readonly #onChunk: () => void

  constructor(chunks: AsyncIterable<Buffer>, onChunk: () => void) {
    this.#chunks = chunks
    this.#onChunk = onChunk
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of this.#chunks) {
        this.#onChunk()
        yield chunk
      }
    } catch (error) {
      this.error = error
      throw error
    }
  }
}
