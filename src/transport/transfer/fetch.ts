import { createHash, randomBytes } from 'node:crypto'
import { chmod, mkdir, open, rename, rm, stat, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { sha256File } from '../../common/digest.ts'
import { CpnError, reasonOf, systemErrorCode } from '../../common/errors.ts'
import type { Transport } from '../transport.ts'
import type { ByteReader } from './byte-reader.ts'
import { batchesOf, type Entry, largeFileBytes, type TransferOptions, type Transferred } from './entries.ts'
import { transferError } from './failure.ts'
import { fetchLargeScript, fetchSmallScript } from './fetch-scripts.ts'
import { partOf } from './large-scripts.ts'
import { listRemote } from './list-remote.ts'
import { pull } from './pull.ts'

interface FetchContext {
  transport: Transport
  /** Folder on the host. */
  root: string
  /** Folder here. */
  folder: string
  signal: AbortSignal
  onReceived: (bytes: number) => void
}

/**
 * Fetches what is at a path of the host into a folder here, which is made. A file gets its name when its digest was
 * compared with the host's. Rejects with CPN_ERR_TRANSFER.
 * @returns what was fetched, and what the host left out
 */
export async function fetchFiles(
  transport: Transport,
  path: string,
  folder: string,
  options: TransferOptions,
): Promise<Transferred & { skipped: string[] }> {
  try {
    return await fetchTree(transport, path, folder, options)
  } catch (error) {
    options.signal.throwIfAborted()
    if (error instanceof CpnError) throw error
    const { dest, path: at = folder } = error as NodeJS.ErrnoException & { dest?: string }
    throw transferError(
      transport.host,
      `cannot write ${dest ?? at}: ${reasonOf(error)}`,
      ['Check the folder here.'],
      error,
    )
  }
}

async function fetchTree(
  transport: Transport,
  path: string,
  folder: string,
  { signal, onProgress }: TransferOptions,
): Promise<Transferred & { skipped: string[] }> {
  const { root, entries, skipped } = await listRemote(transport, path, signal)
  const files = entries.filter(({ kind }) => kind === 'file')
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0)
  let received = 0
  const onReceived = (bytes: number): void => {
    received += bytes
    onProgress?.(received, total)
  }
  const context = { transport, root, folder, signal, onReceived }
  await mkdir(folder, { recursive: true })
  const made = await makeFolders(entries, folder)
  for (const batch of batchesOf(files.filter(({ bytes }) => bytes < largeFileBytes))) await fetchSmall(batch, context)
  for (const file of files.filter(({ bytes }) => bytes >= largeFileBytes)) await fetchLarge(file, context)
  for (const each of made.toReversed()) await finish(join(folder, each.path), each)
  return { files: files.length, bytes: total, skipped }
}

async function makeFolders(entries: Entry[], folder: string): Promise<Entry[]> {
  const made: Entry[] = []
  for (const entry of entries) {
    if (entry.kind !== 'folder') continue
    const first = await mkdir(join(folder, entry.path), { recursive: true, mode: 0o700 })
    if (first !== undefined) made.push(entry)
  }
  return made
}

async function fetchSmall(files: Entry[], context: FetchContext): Promise<void> {
  const { transport, root, folder, signal } = context
  const stage = join(folder, `.cpn-${randomBytes(6).toString('hex')}.part`)
  await mkdir(stage, { mode: 0o700 })
  try {
    const read = (bytes: ByteReader): Promise<string> => readSmall(files, bytes, stage, context)
    await pull(transport, `cannot fetch from ${root}`, fetchSmallScript(root, files), read, signal)
    for (const [index, file] of files.entries()) {
      await finish(join(stage, String(index)), file)
      await rename(join(stage, String(index)), join(folder, file.path))
    }
  } finally {
    await rm(stage, { recursive: true, force: true })
  }
}

async function readSmall(files: Entry[], bytes: ByteReader, stage: string, context: FetchContext): Promise<string> {
  const hash = createHash('sha256')
  for (const [index, file] of files.entries()) {
    await using handle = await open(join(stage, String(index)), 'wx', 0o600)
    for (let left = file.bytes; left > 0; ) {
      const chunk = await bytes.read(left)
      // The host says why in its exit.
      if (chunk === null) return ''
      hash.update(chunk)
      await handle.write(chunk)
      left -= chunk.length
    }
    context.onReceived(file.bytes)
  }
  return hash.digest('hex')
}

async function fetchLarge(file: Entry, context: FetchContext): Promise<void> {
  const { transport, root, folder, signal } = context
  const target = join(folder, file.path)
  const part = join(folder, partOf(file))
  await mkdir(dirname(target), { recursive: true })
  const start = await sizeOf(part)
  const has = start > 0 && start <= file.bytes ? { bytes: start, sha256: await sha256File(part, signal) } : undefined
  const read = (bytes: ByteReader): Promise<string> => readLarge(file, bytes, part, context)
  const what = `cannot fetch ${file.path}`
  await pull(transport, what, fetchLargeScript(root, file, has), read, signal)
  await finish(part, file)
  await rename(part, target)
}

async function readLarge(file: Entry, bytes: ByteReader, part: string, context: FetchContext): Promise<string> {
  // The host says where it begins: at the end of what is here when that is the same there.
  const line = await bytes.readLine()
  if (line === '') return ''
  const start = Number(line)
  await using handle = await open(part, start > 0 ? 'r+' : 'w+', 0o600)
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(1024 * 1024)
  for (let at = 0; at < start; ) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, start - at), at)
    if (bytesRead === 0) return ''
    hash.update(buffer.subarray(0, bytesRead))
    at += bytesRead
  }
  context.onReceived(start)
  for (let at = start; at < file.bytes; ) {
    context.signal.throwIfAborted()
    const chunk = await bytes.read(file.bytes - at)
    if (chunk === null) return ''
    hash.update(chunk)
    await handle.write(chunk, 0, chunk.length, at)
    at += chunk.length
    context.onReceived(chunk.length)
  }
  return hash.digest('hex')
}

async function finish(path: string, { mode, mtime }: Entry): Promise<void> {
  await chmod(path, mode)
  await utimes(path, mtime, mtime)
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return 0
    throw error
  }
}
