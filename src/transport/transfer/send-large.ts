import { randomBytes } from 'node:crypto'
import { quotePath } from '../shell.ts'
import type { Transport } from '../transport.ts'
import type { LocalEntry } from './entries.ts'
import { scriptFailure } from './failure.ts'
import { feedScript } from './feed.ts'
import { nameScript, type Present, parsePresent, partOf, presentScript, receiveScript } from './large-scripts.ts'
import { hashed, readLocal, takeBeginning } from './read-local.ts'
import { runScript } from './run-script.ts'
import { setTimeAndMode } from './scripts.ts'
import { ThreadedDigest } from './threaded-digest.ts'

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
  await using hash = new ThreadedDigest()
  await takeBeginning(hash, file, file.bytes, transport.host, signal)
  if ((await hash.soFar()) !== present.sha256) return false
  const script = `cd ${quotePath(root)}\n${setTimeAndMode(`./${file.path}`, file)}`
  const result = await runScript(transport, script, { signal })
  if (result.exitCode !== 0) throw scriptFailure(transport.host, `cannot change ${file.path}`, result)
  onSent(file.bytes)
  return true
}

async function send(file: LocalEntry, present: Present | undefined, context: SendContext): Promise<void> {
  const { transport, root, signal, onSent } = context
  await using hash = new ThreadedDigest()
  const start = await beginning(hash, file, present, context)
  onSent(start)
  const mine = `${partOf(file)}.${randomBytes(4).toString('hex')}`
  const chunks = hashed(readLocal(file, transport.host, start), hash, onSent)
  const what = `cannot write ${file.path}`
  const received = await feedScript(transport, receiveScript(root, file, mine, start), chunks, signal)
  if (received.exitCode !== 0) throw scriptFailure(transport.host, what, received)
  const isRight = received.stdout.trim() === (await hash.soFar())
  const named = await runScript(transport, nameScript(root, file, mine, isRight), { signal })
  if (named.exitCode !== 0) throw scriptFailure(transport.host, what, named)
}

/** How much of the file is there already; the digest has taken that in. */
async function beginning(
  hash: ThreadedDigest,
  file: LocalEntry,
  present: Present | undefined,
  { transport, signal }: SendContext,
): Promise<number> {
  if (present?.what !== 'part' || present.bytes === 0 || present.bytes > file.bytes) return 0
  await takeBeginning(hash, file, present.bytes, transport.host, signal)
  if ((await hash.soFar()) === present.sha256) return present.bytes
  await hash.restart()
  return 0
}
