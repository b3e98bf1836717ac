import { createHash, type Hash, randomBytes } from 'node:crypto'
import { quotePath } from '../shell.ts'
import type { Transport } from '../transport.ts'
import type { LocalEntry } from './entries.ts'
import { scriptFailure } from './failure.ts'
import { feedScript } from './feed.ts'
import { nameScript, type Present, parsePresent, partOf, presentScript, receiveScript } from './large-scripts.ts'
import { hashBeginning, hashed, readLocal } from './read-local.ts'
import { runScript } from './run-script.ts'
import { setTimeAndMode } from './scripts.ts'

export interface SendContext {
  transport: Transport
  /** Folder on the host that all paths are relative to. */
  root: string
  signal: AbortSignal
  onSent: (bytes: number) => void
}

/** Sends files one by one, each continued where an earlier transfer ended. */
export async function sendLarge(files: LocalEntry[], context: SendContext): Promise<void> {
  if (files.length === 0) return
  const present = await findPresent(files, context)
  for (const [index, file] of files.entries()) {
    if (!(await isThere(file, present.get(index), context))) await send(file, present.get(index), context)
  }
}

async function findPresent(files: LocalEntry[], context: SendContext): Promise<Map<number, Present>> {
  const { transport, root, signal } = context
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  const result = await runScript(transport, presentScript(root, files), { signal, bytes })
  if (result.exitCode !== 0) throw scriptFailure(transport.host, `cannot write to ${root}`, result)
  return parsePresent(result.stdout)
}

async function isThere(file: LocalEntry, present: Present | undefined, context: SendContext): Promise<boolean> {
  if (present?.what !== 'whole') return false
  const { transport, root, signal, onSent } = context
  const hash = await hashBeginning(file, file.bytes, transport.host, signal)
  if (hash.digest('hex') !== present.sha256) return false
  const script = `cd ${quotePath(root)}\n${setTimeAndMode(`./${file.path}`, file)}`
  const result = await runScript(transport, script, { signal })
  if (result.exitCode !== 0) throw scriptFailure(transport.host, `cannot change ${file.path}`, result)
  onSent(file.bytes)
  return true
}

async function send(file: LocalEntry, present: Present | undefined, context: SendContext): Promise<void> {
  const { transport, root, signal, onSent } = context
  const { hash, start } = await beginning(file, present, context)
  onSent(start)
  const mine = `${partOf(file)}.${randomBytes(4).toString('hex')}`
  const chunks = hashed(readLocal(file, transport.host, start), hash, onSent)
  const what = `cannot write ${file.path}`
  const received = await feedScript(transport, receiveScript(root, file, mine, start), chunks, signal)
  if (received.exitCode !== 0) throw scriptFailure(transport.host, what, received)
  const isRight = received.stdout.trim() === hash.digest('hex')
  const named = await runScript(transport, nameScript(root, file, mine, isRight), { signal })
  if (named.exitCode !== 0) throw scriptFailure(transport.host, what, named)
}

/** How much of the file is there already, and the digest as far as that. */
async function beginning(
  file: LocalEntry,
  present: Present | undefined,
  context: SendContext,
): Promise<{ hash: Hash; start: number }> {
  const fromScratch = { hash: createHash('sha256'), start: 0 }
  if (present?.what !== 'part' || present.bytes === 0 || present.bytes > file.bytes) return fromScratch
  const hash = await hashBeginning(file, present.bytes, context.transport.host, context.signal)
  return hash.copy().digest('hex') === present.sha256 ? { hash, start: present.bytes } : fromScratch
}
