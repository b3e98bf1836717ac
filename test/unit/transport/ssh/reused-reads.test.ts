import { deepEqual, equal } from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import { connectForReuse, reuseReads } from '../../../../src/transport/ssh/reused-reads.ts'

const sent = randomBytes(4 * 1024 * 1024)

test('what comes before anybody listens waits, and all of it comes in order', async () => {
  const { chunks, memories } = await receive(() => undefined)
  deepEqual(Buffer.concat(chunks), sent)
  equal(memories.size, chunks.length)
})

test('reads that are reused come whole from the same memory, and none before they are', async () => {
  let seen = 0
  const { chunks, memories } = await receive((socket) => {
    if (++seen === 3) reuseReads(socket)
  })
  deepEqual(Buffer.concat(chunks), sent)
  equal(memories.size, 4)
})

/** Everything that a server sends, copied as it comes, and the memories it came in. */
async function receive(onChunk: (socket: ReturnType<typeof connectForReuse>) => void) {
  await using server = createServer((socket) => socket.end(sent)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connectForReuse({ host: '127.0.0.1', port: (server.address() as AddressInfo).port })
  await once(socket, 'readable')
  const chunks: Buffer[] = []
  const memories = new Set<ArrayBufferLike>()
  socket.on('data', (chunk: Buffer) => {
    chunks.push(Buffer.from(chunk))
    memories.add(chunk.buffer)
    onChunk(socket)
  })
  // A listener of 'readable' would keep the flow from starting.
  socket.removeAllListeners('readable')
  socket.resume()
  await once(socket, 'close')
  return { chunks, memories }
}
