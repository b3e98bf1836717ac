import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { CpnError, reasonOf } from '../../common/errors.ts'
import type { RemoteFiles, Transport } from '../transport.ts'
import type { Entry, TransferOptions, Transferred } from './entries.ts'
import { transferError } from './failure.ts'
import { fetchByCommands } from './fetch-by-commands.ts'
import { fetchBySftp } from './fetch-by-sftp.ts'
import { type FetchContext, setModeAndTime } from './fetched-file.ts'
import { listBySftp } from './list-by-sftp.ts'
import { listRemote, type RemoteTree } from './list-remote.ts'
import { onTheWay } from './way.ts'

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

type Fetched = Omit<Transferred, 'way'> & { skipped: string[] }

function fetchTree(
  transport: Transport,
  path: string,
  folder: string,
  options: TransferOptions,
): Promise<Transferred & { skipped: string[] }> {
  const { signal } = options
  const byCommands = async (): Promise<Fetched> => {
    const tree = await listRemote(transport, path, signal)
    return fetchEntries(tree, folder, options, (files, taking) => fetchByCommands(files, { ...taking, transport }))
  }
  const bySftp = async (remote: RemoteFiles): Promise<Fetched> => {
    const tree = await listBySftp(remote, path, transport.host, signal)
    const { host } = transport
    return fetchEntries(tree, folder, options, (files, taking) => fetchBySftp(files, { ...taking, remote, host }))
  }
  return onTheWay(transport, signal, byCommands, bySftp)
}

async function fetchEntries(
  { root, entries, skipped }: RemoteTree,
  folder: string,
  { signal, onProgress }: TransferOptions,
  fetchContents: (files: Entry[], context: FetchContext) => Promise<void>,
): Promise<Fetched> {
  const files = entries.filter(({ kind }) => kind === 'file')
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0)
  let received = 0
  const onReceived = (bytes: number): void => {
    received += bytes
    onProgress?.(received, total)
  }
  await mkdir(folder, { recursive: true })
  const made = await makeFolders(entries, folder)
  await fetchContents(files, { root, folder, signal, onReceived })
  for (const each of made.toReversed()) await setModeAndTime(join(folder, each.path), each)
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
