import type { RemoteFiles } from '../transport.ts'
import type { Entry } from './entries.ts'
import { isRefused, transferError } from './failure.ts'
import { checkNames, type RemoteTree, splitPath } from './list-remote.ts'
import { below, hostPath } from './scripts.ts'

/** What listRemote does, by SFTP. */
export async function listBySftp(
  files: RemoteFiles,
  path: string,
  host: string,
  signal: AbortSignal,
): Promise<RemoteTree> {
  const { root, name } = splitPath(hostPath(path))
  const top = name === '.' ? root : below(root, name)
  if (!(await files.status(top))) throw transferError(host, `cannot fetch ${path}: it does not exist`, checkPath)
  const tree: RemoteTree = { root, entries: [], skipped: [] }
  await look(files, top, name, [], tree, signal)
  return { ...tree, entries: checkNames(tree.entries, host) }
}

const checkPath = ['Check the path on the host.']

async function look(
  files: RemoteFiles,
  source: string,
  path: string,
  above: string[],
  tree: RemoteTree,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted()
  const status = await files.status(source)
  if (!status) return void tree.skipped.push(`${path}: it does not exist`)
  const { kind, bytes, mode, mtime } = status
  if (kind === 'other') return
  const entry: Entry = { kind, path, bytes: kind === 'file' ? bytes : 0, mode, mtime }
  if (kind === 'file') return void tree.entries.push(entry)
  const place = await files.realPath(source)
  if (above.includes(place)) return void tree.skipped.push(`${path}: it leads back to a folder above it`)
  tree.entries.push(entry)
  for (const name of await files.list(source)) {
    const inside = path === '.' ? name : `${path}/${name}`
    try {
      await look(files, below(source, name), inside, [...above, place], tree, signal)
    } catch (error) {
      if (!isRefused(error)) throw error
      tree.skipped.push(error.message)
    }
  }
}
