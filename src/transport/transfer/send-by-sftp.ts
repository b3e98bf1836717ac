import { createHash, type Hash } from 'node:crypto'
import type { RemoteFiles } from '../transport.ts'
import { type LocalEntry, largeFileBytes, type TransferOptions, type Transferred } from './entries.ts'
import { transferError } from './failure.ts'
import { partOf } from './large-scripts.ts'
import { hashBeginning, hashed, readLocal } from './read-local.ts'
import { below } from './scripts.ts'

export interface SftpSendOptions extends TransferOptions {
  host: string
  /** Folder on the host that all paths are relative to. */
  root: string
}

interface SendContext {
  files: RemoteFiles
  host: string
  root: string
  signal: AbortSignal
  onDone: (bytes: number) => void
}

/**
 * Sends files and folders one after another. The host computes no digests: every file is read back and compared before
 * it gets its name, so that half of the work is done when its bytes are there.
 */
export async function sendBySftp(
  files: RemoteFiles,
  entries: LocalEntry[],
  { host, root, signal, onProgress }: SftpSendOptions,
): Promise<Omit<Transferred, 'way'>> {
  const total = entries.reduce((sum, { bytes }) => sum + bytes, 0)
  let done = 0
  const onDone = (bytes: number): void => {
    done += bytes / 2
    onProgress?.(done, total)
  }
  const context = { files, host, root, signal, onDone }
  const made: LocalEntry[] = []
  for (const entry of entries) {
    if (entry.kind === 'file') await sendFile(entry, context)
    else if (await makeFolder(entry, context)) made.push(entry)
  }
  // The innermost first, because a change inside is a change of the folder.
  for (const { path, mode, mtime } of made.toReversed()) await files.setModeAndTime(below(root, path), mode, mtime)
  return { files: entries.filter(({ kind }) => kind === 'file').length, bytes: total }
}

/** True when it was not there. */
async function makeFolder({ path }: LocalEntry, { files, root, host }: SendContext): Promise<boolean> {
  const there = await files.status(below(root, path))
  if (there?.kind === 'folder') return false
  if (there) throw transferError(host, `${path} is a file there and cannot become a folder`)
  await files.makeFolder(below(root, path))
  return true
}

async function sendFile(file: LocalEntry, context: SendContext): Promise<void> {
  const { files, root, host } = context
  const target = below(root, file.path)
  const there = await files.status(target)
  if (there?.kind === 'folder') throw transferError(host, `cannot write ${file.path}: it is a folder there`)
  const isSame = there?.bytes === file.bytes && (await hasSameBytes(file, target, context))
  if (isSame) return files.setModeAndTime(target, file.mode, file.mtime)
  // The same name whenever this version of the file is copied: whatever an earlier copy left is used or replaced.
  const part = below(root, partOf(file))
  await writePart(file, part, context)
  await files.setModeAndTime(part, file.mode, file.mtime)
  await files.rename(part, target)
}

/** Small files are sent faster than compared. */
async function hasSameBytes(file: LocalEntry, target: string, context: SendContext): Promise<boolean> {
  if (file.bytes < largeFileBytes) return false
  const mine = await hashBeginning(file, file.bytes, context.host, context.signal)
  const its = await hashRemote(target, createHash('sha256'), context)
  if (mine.digest('hex') !== its.digest('hex')) return false
  context.onDone(2 * file.bytes)
  return true
}

async function writePart(file: LocalEntry, part: string, context: SendContext): Promise<void> {
  const { files, host, signal, onDone } = context
  const { start, mine, its } = await beginning(file, part, context)
  onDone(2 * start)
  try {
    await files.write(part, hashed(readLocal(file, host, start), mine, onDone), start)
    await hashRemote(part, its, context, start, onDone)
  } catch (error) {
    // What a lost connection or a Ctrl-C leaves can be continued; what the server refused cannot.
    if (!signal.aborted) await files.remove(part).catch(() => undefined)
    throw error
  }
  if (its.digest('hex') === mine.digest('hex')) return
  await files.remove(part)
  throw transferError(host, `cannot write ${file.path}: what arrived has a wrong digest`)
}

interface Beginning {
  start: number
  /** Digests of the bytes before `start`, of the file here and of the part there. */
  mine: Hash
  its: Hash
}

/** How much of the file is there already. */
async function beginning(file: LocalEntry, part: string, context: SendContext): Promise<Beginning> {
  const fromScratch = { start: 0, mine: createHash('sha256'), its: createHash('sha256') }
  const there = file.bytes < largeFileBytes ? undefined : await context.files.status(part)
  if (there?.kind !== 'file' || there.bytes === 0 || there.bytes > file.bytes) return fromScratch
  const mine = await hashBeginning(file, there.bytes, context.host, context.signal)
  const its = await hashRemote(part, createHash('sha256'), context)
  const isSame = mine.copy().digest('hex') === its.copy().digest('hex')
  return isSame ? { start: there.bytes, mine, its } : fromScratch
}

async function hashRemote(
  path: string,
  hash: Hash,
  { files }: SendContext,
  start = 0,
  onChunk?: (bytes: number) => void,
): Promise<Hash> {
  for await (const chunk of files.read(path, start)) {
    hash.update(chunk)
    onChunk?.(chunk.length)
  }
  return hash
}
