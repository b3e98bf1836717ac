import { createHash, type Hash } from 'node:crypto'
import type { RemoteFiles } from '../transport.ts'
import { type LocalEntry, largeFileBytes, type TransferOptions, type Transferred } from './entries.ts'
import { transferError } from './failure.ts'
import { hashBeginning, hashed, readLocal } from './read-local.ts'
import { below } from './scripts.ts'
import { newPart, partsThere, takeOver } from './sftp-parts.ts'

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
  const beginning = await begin(file, context)
  const { part } = beginning
  await writePart(file, beginning, context)
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

async function writePart(file: LocalEntry, { part, start, mine, its }: Beginning, context: SendContext): Promise<void> {
  const { files, host, signal, onDone } = context
  onDone(2 * start)
  try {
    await files.write(part, hashed(readLocal(file, host, start), mine, onDone), start > 0 ? start : undefined)
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
  part: string
  /** How much of the file is there already. */
  start: number
  /** Digests of the bytes before `start`, of the file here and of the part there. */
  mine: Hash
  its: Hash
}

/** With what an earlier copy left, or anew. */
async function begin(file: LocalEntry, context: SendContext): Promise<Beginning> {
  const { files, root } = context
  for (const left of await partsThere(files, root, file)) {
    const part = newPart(root, file)
    const bytes = await takeOver(files, left, part)
    const found = bytes === undefined ? undefined : await compare(file, left, part, bytes, context)
    if (found) return found
  }
  return { part: newPart(root, file), start: 0, mine: createHash('sha256'), its: createHash('sha256') }
}

/** Undefined when the part, which was called `left` before, is of no use. */
async function compare(
  file: LocalEntry,
  left: string,
  part: string,
  bytes: number,
  context: SendContext,
): Promise<Beginning | undefined> {
  const { files, host, signal } = context
  if (bytes > 0 && bytes <= file.bytes) {
    const mine = await hashBeginning(file, bytes, host, signal)
    const its = await hashRemote(part, createHash('sha256'), context)
    // One that grows is another copy's, which gets it back.
    if ((await files.status(part, true))?.bytes !== bytes) return void (await files.rename(part, left))
    if (mine.copy().digest('hex') === its.copy().digest('hex')) return { part, start: bytes, mine, its }
  }
  await files.remove(part)
  return undefined
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
