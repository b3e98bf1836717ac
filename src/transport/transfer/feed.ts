import type { Writable } from 'node:stream'
import { unlessAborted } from '../../common/deadline.ts'
import { collect } from '../collect.ts'
import type { ExecResult, Transport } from '../transport.ts'
import { transferError } from './failure.ts'

/** A host that takes no byte for so long does not work any more. */
const stallMs = 120_000

/**
 * Runs a script with these bytes as its stdin. What breaks here is thrown; what breaks there is in its exit. A chunk is
 * not looked at any more when the next but one is asked for.
 */
export async function feedScript(
  transport: Transport,
  script: string,
  chunks: AsyncGenerator<Buffer>,
  signal: AbortSignal,
): Promise<ExecResult> {
  const stalled = new AbortController()
  const ended = AbortSignal.any([signal, stalled.signal])
  const late = transferError(transport.host, `the host took no more bytes for ${stallMs / 1000} s`)
  const remote = await transport.spawn(script, { signal: ended })
  const timer = setTimeout(() => stalled.abort(late), stallMs)
  const output = Promise.all([collect(remote.stdout, 64 * 1024), collect(remote.stderr, 64 * 1024)])
  output.catch(() => undefined)
  try {
    // Whoever ends first: a script that gave up says why in its exit.
    const feeding = feed(chunks, remote.stdin, () => timer.refresh())
    await unlessAborted(Promise.race([feeding, remote.exited]), ended)
    clearTimeout(timer)
    const exit = await unlessAborted(remote.exited, signal)
    const [stdout, stderr] = await output
    return { ...exit, stdout, stderr }
  } catch (error) {
    remote.destroy()
    throw error
  } finally {
    clearTimeout(timer)
    await chunks.return(undefined)
  }
}

/** Writes all chunks, the next one made ready while one is on its way. Rejects with the error of a chunk only. */
async function feed(chunks: AsyncGenerator<Buffer>, stdin: Writable, onChunk: () => void): Promise<void> {
  stdin.on('error', () => undefined)
  let taken = Promise.resolve(true)
  for await (const chunk of chunks) {
    onChunk()
    if (!(await taken)) return
    taken = write(stdin, chunk)
  }
  if (await taken) stdin.end()
}

/** False when it broke: the script's exit says why. */
function write(stdin: Writable, chunk: Buffer): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  stdin.write(chunk, (error) => resolve(!error))
  return promise
}
