import type { RemoteFiles, Transport } from '../transport.ts'
import { type Entry, type LocalEntry, largeFileBytes, type TransferOptions, type Transferred } from './entries.ts'
import { scriptFailure } from './failure.ts'
import { type Look, placeEntries } from './place.ts'
import { runScript } from './run-script.ts'
import { finishFoldersScript, folderAbove, foldersScript, hostPath, lookScript } from './scripts.ts'
import { sendBySftp } from './send-by-sftp.ts'
import { sendLarge } from './send-large.ts'
import { sendSmall } from './send-small.ts'
import { onTheWay } from './way.ts'

/**
 * Copies files and folders to a place on a host, as `cp -r` does: into a folder that is there, else under its name.
 * Each file gets its name when its digest was compared with that of what the host has. Rejects with CPN_ERR_TRANSFER.
 */
export function sendFiles(
  transport: Transport,
  entries: LocalEntry[],
  target: string,
  options: TransferOptions,
): Promise<Transferred> {
  const path = hostPath(target)
  const byCommands = async (): Promise<Sent> => {
    const { hasTar, ...look } = await lookByCommand(transport, path, options.signal)
    const { root, entries: placed } = placeEntries(transport.host, entries, path, look)
    return sendByCommands(transport, placed, root, hasTar, options)
  }
  const bySftp = async (files: RemoteFiles): Promise<Sent> => {
    const { root, entries: placed } = placeEntries(transport.host, entries, path, await lookBySftp(files, path))
    return sendBySftp(files, placed, { ...options, host: transport.host, root })
  }
  return onTheWay(transport, options.signal, byCommands, bySftp)
}

type Sent = Omit<Transferred, 'way'>

async function lookByCommand(
  transport: Transport,
  target: string,
  signal: AbortSignal,
): Promise<Look & { hasTar: boolean }> {
  const result = await runScript(transport, lookScript(target), { signal })
  if (result.exitCode !== 0) throw scriptFailure(transport.host, `cannot look at ${target}`, result)
  const [kind, above, tar] = result.stdout.split('\n')
  return { kind: kind as Look['kind'], hasFolder: above === 'yes', hasTar: tar === 'yes' }
}

async function lookBySftp(files: RemoteFiles, target: string): Promise<Look> {
  const found = await files.status(target)
  const above = await files.status(folderAbove(target))
  const kind = found === undefined ? 'none' : found.kind === 'folder' ? 'folder' : 'file'
  return { kind, hasFolder: above?.kind === 'folder' }
}

async function sendByCommands(
  transport: Transport,
  entries: LocalEntry[],
  root: string,
  hasTar: boolean,
  { signal, onProgress }: TransferOptions,
): Promise<Sent> {
  const files = entries.filter(({ kind }) => kind === 'file')
  const folders = entries.filter(({ kind }) => kind === 'folder')
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
