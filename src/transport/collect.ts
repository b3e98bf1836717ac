import type { Readable } from 'node:stream'

/** Reads a stream to its end and keeps its first `maxBytes` as text. */
export async function collect(stream: Readable, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let room = maxBytes
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (room > 0) chunks.push(chunk.subarray(0, room))
    room -= Math.min(room, chunk.length)
  }
  return Buffer.concat(chunks).toString('utf8')
}
