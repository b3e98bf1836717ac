import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { zstdCompressSync } from 'node:zlib'
import type { ReceivedFile, ReceiveHeader } from '../protocol/release.ts'
import { counted } from '../transport/progress.ts'
import type { PackedBlob } from './release/build.ts'

/** A file of an upload and where its bytes come from. */
export interface Upload {
  file: ReceivedFile
  source: string | Uint8Array
}

/** A blob in its packed form. */
export function packedUpload(sha256: string, bytes: number, packed: PackedBlob): Upload {
  const { encoding, wireBytes, path } = packed
  return { file: { kind: 'blob', sha256, bytes, encoding, wireBytes }, source: path }
}

/** Bytes that are made up on the master: manifests. */
export function textUpload(kind: ReceivedFile['kind'], sha256: string, text: string): Upload {
  const source = zstdCompressSync(text)
  const bytes = Buffer.byteLength(text)
  return { file: { kind, sha256, bytes, encoding: 'zstd', wireBytes: source.length }, source }
}

/** A file sent as it is: models hardly compress. */
export function plainUpload(kind: ReceivedFile['kind'], sha256: string, bytes: number, path: string): Upload {
  return { file: { kind, sha256, bytes, encoding: 'identity', wireBytes: bytes }, source: path }
}

/** The stream that `agent.mjs receive` reads. `onProgress` gets the bytes handed to the connection, and their total. */
export function uploadStream(
  uploads: Upload[],
  rest: Pick<ReceiveHeader, 'release'> & { verified?: string[] },
  onProgress: (sent: number, total: number) => void,
): Readable {
  const total = uploads.reduce((sum, { file }) => sum + file.wireBytes, 0)
  const header = `${JSON.stringify({ files: uploads.map(({ file }) => file), ...rest })}\n`
  return countedStream(streamParts(header, uploads), (sent) =>
    onProgress(Math.max(0, sent - Buffer.byteLength(header)), total),
  )
}

/** A byte stream that tells how much of it was taken. */
export function countedStream(parts: AsyncIterable<Uint8Array>, onProgress: (sent: number) => void): Readable {
  return Readable.from(counted(parts, onProgress), { objectMode: false, highWaterMark: 1 << 20 })
}

async function* streamParts(header: string, uploads: Upload[]): AsyncGenerator<Uint8Array> {
  yield Buffer.from(header)
  for (const { source } of uploads) {
    if (typeof source === 'string') yield* createReadStream(source, { highWaterMark: 256 << 10 })
    else if (source.length > 0) yield source
  }
}
