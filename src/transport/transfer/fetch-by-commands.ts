import { createHash, randomBytes } from 'node:crypto'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { sha256File } from '../../common/digest.ts'
import { systemErrorCode } from '../../common/errors.ts'
import type { Transport } from '../transport.ts'
import type { ByteReader } from './byte-reader.ts'
import { batchesOf, type Entry, largeFileBytes } from './entries.ts'
import { fetchLargeScript, fetchSmallScript } from './fetch-scripts.ts'
import { type FetchContext, setModeAndTime } from './fetched-file.ts'
import { partOf } from './large-scripts.ts'
import { pull } from './pull.ts'

interface CommandContext extends FetchContext {
  transport: Transport
}

/** Fetches small files in batches and large ones one by one, each continued where an earlier fetch ended. */
export async function fetchByCommands(files: Entry[], context: CommandContext): Promise<void> {
  for (const batch of batchesOf(files.filter(({ bytes }) => bytes < largeFileBytes))) await fetchSmall(batch, context)
  for (const file of files.filter(({ bytes }) => bytes >= largeFileBytes)) await fetchLarge(file, context)
}

async function fetchSmall(files: Entry[], context: CommandContext): Promise<void> {
  const { transport, root, folder, signal } = context
  const stage = join(folder, `.cpn-${randomBytes(6).toString('hex')}.part`)
  await mkdir(stage, { mode: 0o700 })
  try {
    const read = (bytes: ByteReader): Promise<string> => readSmall(files, bytes, stage, context)
    await pull(transport, `cannot fetch from ${root}`, fetchSmallScript(root, files), read, signal)
    for (const [index, file] of files.entries()) {
      await setModeAndTime(join(stage, String(index)), file)
      await rename(join(stage, String(index)), join(folder, file.path))
    }
  } finally {
    await rm(stage, { recursive: true, force: true })
  }
}

async function readSmall(files: Entry[], bytes: ByteReader, stage: string, context: CommandContext): Promise<string> {
  const hash = createHash('sha256')
  for (const [index, file] of files.entries()) {
    await using handle = await open(join(stage, String(index)), 'wx', 0o600)
    for (let left = file.bytes; left > 0; ) {
      const chunk = await bytes.read(left)
      // The host says why in its exit.
      if (chunk === null) return ''
      hash.update(chunk)
      // Not write(): it may write less than all, as on a disk that fills up, and calls that no error.
      await handle.writeFile(chunk)
      left -= chunk.length
    }
    context.onReceived(file.bytes)
  }
  return hash.digest('hex')
}

async function fetchLarge(file: Entry, context: CommandContext): Promise<void> {
  const { transport, root, folder, signal } = context
  const target = join(folder, file.path)
  const part = join(folder, partOf(file))
  await mkdir(dirname(target), { recursive: true })
  const start = await sizeOf(part)
  const has = start > 0 && start <= file.bytes ? { bytes: start, sha256: await sha256File(part, signal) } : undefined
  const read = (bytes: ByteReader): Promise<string> => readLarge(file, bytes, part, context)
  const what = `cannot fetch ${file.path}`
  await pull(transport, what, fetchLargeScript(root, file, has), read, signal)
  await setModeAndTime(part, file)
  await rename(part, target)
}

async function readLarge(file: Entry, bytes: ByteReader, part: string, context: CommandContext): Promise<string> {
  // The host says where it begins: at the end of what is here when that is the same there.
  const line = await bytes.readLine()
  if (line === '') return ''
  const start = Number(line)
  await using handle = await open(part, start > 0 ? 'r+' : 'w+', 0o600)
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(1024 * 1024)
  for (let at = 0; at < start; ) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, start - at))
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
    // Goes on where the reading ended.
    await handle.writeFile(chunk)
    at += chunk.length
    context.onReceived(chunk.length)
  }
  return hash.digest('hex')
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return 0
    throw error
  }
}
