import { createHash, type Hash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { reasonOf } from '../../common/errors.ts'
import type { LocalEntry } from './entries.ts'
import { transferError } from './failure.ts'

const chunkBytes = 512 * 1024

/**
 * The bytes of a file from `start` on, as many as it had when it was found. Fails when it has changed its length: what
 * was promised to the host cannot be kept then. A chunk is written over when the next but one is asked for.
 */
export async function* readLocal(file: LocalEntry, host: string, start = 0): AsyncGenerator<Buffer> {
  await using handle = await openLocal(file, host)
  // New memory for each would cost more than reading it; shared, a thread may look at it without a copy.
  const size = Math.min(chunkBytes, file.bytes - start)
  const memory = () => Buffer.from(new SharedArrayBuffer(size))
  let [buffer, other] = [memory(), memory()]
  for (let at = start; at < file.bytes; ) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(size, file.bytes - at), at)
    if (bytesRead === 0) throw changed(file, host)
    at += bytesRead
    yield buffer.subarray(0, bytesRead)
    ;[buffer, other] = [other, buffer]
  }
  if ((await handle.stat()).size !== file.bytes) throw changed(file, host)
}

/** What takes pieces in: done when it returns, or when its promise resolves. */
interface Digest {
  update(piece: Uint8Array): unknown
}

/** The digest of the first bytes of a file, to be continued with what follows. */
export async function hashBeginning(file: LocalEntry, end: number, host: string, signal: AbortSignal): Promise<Hash> {
  const hash = createHash('sha256')
  await takeBeginning(hash, file, end, host, signal)
  return hash
}

/** Has a digest take in the first bytes of a file. */
export async function takeBeginning(
  hash: Digest,
  file: LocalEntry,
  end: number,
  host: string,
  signal: AbortSignal,
): Promise<void> {
  let left = end
  for await (const chunk of readLocal(file, host)) {
    signal.throwIfAborted()
    await hash.update(chunk.subarray(0, left))
    left -= Math.min(left, chunk.length)
    if (left === 0) break
  }
}

/** Passes chunks through a digest, and tells how many bytes each of them had when the next one is wanted. */
export async function* hashed(
  chunks: AsyncIterable<Buffer>,
  hash: Digest,
  onDone: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    const taken = Promise.resolve(hash.update(chunk))
    // Whoever asks for no more chunks does not wait for it either.
    taken.catch(() => undefined)
    yield chunk
    await taken
    onDone(chunk.length)
  }
}

async function openLocal({ source }: LocalEntry, host: string): Promise<FileHandle> {
  try {
    return await open(source)
  } catch (cause) {
    throw transferError(host, `cannot read ${source}: ${reasonOf(cause)}`, ['Check the file.'], cause)
  }
}

function changed({ source }: LocalEntry, host: string): Error {
  return transferError(host, `${source} changed while it was copied`, ['Copy it when nothing writes to it.'])
}
