import { randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { constants, gzip, zstdCompress } from 'node:zlib'

const gzipAsync = promisify(gzip)
const zstdAsync = promisify(zstdCompress)

export type Encoding = 'zstd' | 'gzip'

// Members of a gzip file and frames of a zstd file may follow each other: pieces are compressed on all cores.
const pieceBytes = 8 << 20

// Hosts that are provisioned side by side want the same files at the same moment.
const underWay = new Map<string, Promise<number>>()

/**
 * Writes the compressed form of `source` to `target` unless it is there; returns its size.
 * gzip is for what a host unpacks with its own tools, zstd for the runtime's. Both may consist of several frames.
 */
export function compressFile(source: string, target: string, encoding: Encoding): Promise<number> {
  return underWay.getOrInsertComputed(target, () =>
    compressOnce(source, target, encoding).finally(() => underWay.delete(target)),
  )
}

async function compressOnce(source: string, target: string, encoding: Encoding): Promise<number> {
  const present = await stat(target).catch(() => undefined)
  if (present) return present.size
  await mkdir(dirname(target), { recursive: true, mode: 0o700 })
  const temporary = `${target}.${randomUUID()}`
  try {
    await writePieces(await readFile(source), temporary, encoding)
    await rename(temporary, target)
  } finally {
    await rm(temporary, { force: true })
  }
  return (await stat(target)).size
}

async function writePieces(data: Buffer, target: string, encoding: Encoding): Promise<void> {
  await using file = await open(target, 'wx', 0o600)
  const lanes = availableParallelism()
  for (let start = 0; start === 0 || start < data.length; start += lanes * pieceBytes) {
    const group = data.subarray(start, start + lanes * pieceBytes)
    const pieces = await Promise.all(split(group).map((piece) => compress(piece, encoding)))
    for (const piece of pieces) await file.write(piece)
  }
  // A name that is there after a crash stands for a whole file.
  await file.sync()
}

function split(data: Buffer): Buffer[] {
  const count = Math.max(1, Math.ceil(data.length / pieceBytes))
  return Array.from({ length: count }, (_, index) => data.subarray(index * pieceBytes, (index + 1) * pieceBytes))
}

function compress(piece: Buffer, encoding: Encoding): Promise<Buffer> {
  if (encoding === 'gzip') return gzipAsync(piece, { level: 6 })
  return zstdAsync(piece, { params: { [constants.ZSTD_c_compressionLevel]: 6 } })
}
