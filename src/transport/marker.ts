import type { Readable } from 'node:stream'

/** Bytes of login noise that are looked through for the marker. */
const maxNoise = 1024 * 1024

export class MarkerMissing extends Error {
  /** What came instead. */
  readonly noise: string

  constructor(noise: string) {
    super('the stream ended before the script began')
    this.noise = noise
  }
}

/**
 * Reads until the line `marker` and `lines` more lines; what follows stays in the stream, unread. Login shells print
 * what they like before a script runs.
 * @returns the lines after the marker
 * @throws MarkerMissing when the stream ends first
 */
export async function readPastMarker(stream: Readable, marker: string, lines = 0): Promise<string[]> {
  let seen = Buffer.alloc(0)
  for (;;) {
    const chunk = (await nextChunk(stream)) as Buffer | null
    if (chunk === null) throw new MarkerMissing(seen.toString('utf8'))
    seen = Buffer.concat([seen, chunk])
    const found = splitAfter(seen, marker, lines)
    if (found) {
      if (found.rest.length > 0) stream.unshift(found.rest)
      return found.lines
    }
    if (seen.length > maxNoise) throw new MarkerMissing(seen.toString('utf8'))
  }
}

function splitAfter(seen: Buffer, marker: string, lines: number): { lines: string[]; rest: Buffer } | undefined {
  const start = seen.indexOf(`${marker}\n`)
  if (start < 0) return undefined
  const found: string[] = []
  let from = start + marker.length + 1
  while (found.length < lines) {
    const end = seen.indexOf('\n', from)
    if (end < 0) return undefined
    found.push(seen.toString('utf8', from, end))
    from = end + 1
  }
  return { lines: found, rest: seen.subarray(from) }
}

/** The next bytes of a paused stream; null at its end. */
async function nextChunk(stream: Readable): Promise<unknown> {
  for (;;) {
    const chunk: unknown = stream.read()
    if (chunk !== null) return chunk
    if (stream.readableEnded || stream.destroyed) return null
    if (stream.errored) throw stream.errored
    await readableOrEnd(stream)
  }
}

function readableOrEnd(stream: Readable): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const events = ['readable', 'end', 'close'] as const
  for (const event of events) stream.on(event, resolve)
  stream.on('error', reject)
  return promise.finally(() => {
    for (const event of events) stream.off(event, resolve)
    stream.off('error', reject)
  })
}
