import type { Transport } from '../transport.ts'
import { type Entry, type LocalEntry, largeFileBytes, type TransferOptions, type Transferred } from './entries.ts'
import { scriptFailure, transferError } from './failure.ts'
import { runScript } from './run-script.ts'
import { below, finishFoldersScript, folderAbove, foldersScript, hostPath, lookScript } from './scripts.ts'
import { sendLarge } from './send-large.ts'
import { sendSmall } from './send-small.ts'

/**
 * Copies files and folders to a place on a host, as `cp -r` does: into a folder that is there, else under its name.
 * Each file gets its name when its digest was compared on the host. Rejects with CPN_ERR_TRANSFER.
 */
export async function sendFiles(
  transport: Transport,
  entries: LocalEntry[],
  target: string,
  { signal, onProgress }: TransferOptions,
): Promise<Transferred> {
  const { root, name, hasTar } = await findPlace(transport, entries, hostPath(target), signal)
  const placed = name === undefined ? entries : entries.map((entry) => ({ ...entry, path: renamed(entry.path, name) }))
  const files = placed.filter(({ kind }) => kind === 'file')
  const folders = placed.filter(({ kind }) => kind === 'folder')
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0)
  let sent = 0
  const onSent = (bytes: number): void => {
    sent += bytes
    onProgress?.(sent, total)
  }
  const context = { transport, root, signal, onSent }
  const made = await makeFolders(folders, root, transport, signal)
  const { small = [], large = [] } = Object.groupBy(files, ({ bytes }) =>
    hasTar && bytes < largeFileBytes ? 'small' : 'large',
  )
  await sendSmall(small, context)
  await sendLarge(large, context)
  await finishFolders(made, root, transport, signal)
  return { files: files.length, bytes: total }
}

interface Place {
  /** Folder that is there. */
  root: string
  /** What the only thing that is copied is called there, when that is not its own name. */
  name?: string
  hasTar: boolean
}

async function findPlace(transport: Transport, entries: Entry[], target: string, signal: AbortSignal): Promise<Place> {
  const { host } = transport
  const result = await runScript(transport, lookScript(target), { signal })
  if (result.exitCode !== 0) throw scriptFailure(host, `cannot look at ${target}`, result)
  const [kind, above, tar] = result.stdout.split('\n')
  const hasTar = tar === 'yes'
  if (kind === 'folder') return { root: target, hasTar }
  const tops = entries.filter(({ path }) => !path.includes('/'))
  const suggestion = ['Name a folder that exists on the host.']
  if (target.endsWith('/') || tops.length > 1) throw transferError(host, `${target} is no folder there`, suggestion)
  if (above !== 'yes') throw transferError(host, `the folder of ${target} does not exist there`, suggestion)
  if (kind === 'file' && tops[0]?.kind === 'folder') {
    throw transferError(host, `${target} is a file there and cannot become a folder`, suggestion)
  }
  return { root: folderAbove(target), name: target.slice(target.lastIndexOf('/') + 1), hasTar }
}

function renamed(path: string, name: string): string {
  const slash = path.indexOf('/')
  return slash < 0 ? name : below(name, path.slice(slash + 1))
}

async function makeFolders(
  folders: Entry[],
  root: string,
  transport: Transport,
  signal: AbortSignal,
): Promise<Entry[]> {
  if (folders.length === 0) return []
  const result = await runScript(transport, foldersScript(root, folders), { signal })
  if (result.exitCode !== 0)
    throw scriptFailure(transport.host, `cannot make folders in ${root === '.' ? 'the home' : root}`, result)
  return result.stdout.split('\n').flatMap((index) => (index === '' ? [] : [folders[Number(index)]!]))
}

async function finishFolders(made: Entry[], root: string, transport: Transport, signal: AbortSignal): Promise<void> {
  if (made.length === 0) return
  const result = await runScript(transport, finishFoldersScript(root, made), { signal })
  if (result.exitCode !== 0) throw scriptFailure(transport.host, `cannot finish folders in ${root}`, result)
}
