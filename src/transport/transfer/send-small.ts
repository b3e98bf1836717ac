import { createHash, randomBytes } from 'node:crypto'
import { batchesOf, type LocalEntry } from './entries.ts'
import { scriptFailure } from './failure.ts'
import { feedScript } from './feed.ts'
import { readLocal } from './read-local.ts'
import { finishScript, unpackScript } from './scripts.ts'
import type { SendContext } from './send-large.ts'
import { tarEnd, tarHeader, tarPadding } from './tar.ts'

/** Bytes of a stream that are put together: small writes cost a packet each. */
const packBytes = 256 * 1024

/** Sends many files with one command per batch: a tar stream that ends with the script that checks and names them. */
export async function sendSmall(files: LocalEntry[], context: SendContext): Promise<void> {
  const { transport, root, signal } = context
  for (const batch of batchesOf(files)) {
    const stage = `.cpn-${randomBytes(6).toString('hex')}.part`
    const stream = packed(tarOf(batch, context))
    const result = await feedScript(transport, unpackScript(root, stage), stream, signal)
    if (result.exitCode !== 0) throw scriptFailure(transport.host, `cannot write to ${root}`, result)
  }
}

async function* tarOf(files: LocalEntry[], { transport, onSent }: SendContext): AsyncGenerator<Buffer> {
  const hash = createHash('sha256')
  for (const file of files) {
    yield tarHeader({ ...file, path: `./files/${file.path}` })
    for await (const chunk of readLocal(file, transport.host)) {
      hash.update(chunk)
      yield chunk
    }
    yield tarPadding(file.bytes)
    onSent(file.bytes)
  }
  const script = Buffer.from(finishScript(files, hash.digest('hex')))
  yield tarHeader({ path: './finish', bytes: script.length, mode: 0o600, mtime: 0 })
  yield script
  yield tarPadding(script.length)
  yield tarEnd
}

async function* packed(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let pack = Buffer.allocUnsafe(packBytes)
  let bytes = 0
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      const taken = chunk.copy(pack, bytes, at)
      at += taken
      bytes += taken
      if (bytes < packBytes) continue
      yield pack
      pack = Buffer.allocUnsafe(packBytes)
      bytes = 0
    }
  }
  yield pack.subarray(0, bytes)
}
