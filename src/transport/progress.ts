import type { Readable } from 'node:stream'

/** The chunks of a stream, counted as they pass. */
export async function* counted(source: Readable, onProgress?: (sent: number) => void): AsyncGenerator<Buffer> {
  let sent = 0
  for await (const chunk of source as AsyncIterable<Buffer>) {
    sent += chunk.length
    yield chunk
    onProgress?.(sent)
  }
}
