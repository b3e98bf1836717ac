import { readdir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { CpnError, reasonOf } from '../../common/errors.ts'
import type { LocalEntry } from './entries.ts'

export interface LocalTree {
  /** Folders come before what is in them. */
  entries: LocalEntry[]
  /** What cannot be copied, and why: a line each. */
  skipped: string[]
}

/**
 * Everything at and below the paths. Links are followed, except into a folder that is being looked at already. Rejects
 * with CPN_ERR_INPUT_MISSING when one of the paths cannot be read, CPN_ERR_USAGE when two have one name.
 */
export async function findLocal(paths: string[], signal: AbortSignal): Promise<LocalTree> {
  const tree: LocalTree = { entries: [], skipped: [] }
  const names = new Set<string>()
  for (const path of paths) {
    const name = basename(resolve(path))
    if (names.has(name)) throw new CpnError('CPN_ERR_USAGE', `two of the files are called ${name}`)
    names.add(name)
    try {
      await stat(path)
    } catch (cause) {
      const message = `cannot copy ${path}: ${reasonOf(cause)}`
      throw new CpnError('CPN_ERR_INPUT_MISSING', message, { cause, suggestions: ['Check the path.'] })
    }
    await look(resolve(path), name, [], tree, signal)
  }
  return tree
}

async function look(
  source: string,
  path: string,
  above: string[],
  tree: LocalTree,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted()
  try {
    const stats = await stat(source)
    const common = { path, source, mode: stats.mode & 0o777, mtime: Math.floor(stats.mtimeMs / 1000) }
    if (stats.isFile()) return void tree.entries.push({ kind: 'file', bytes: stats.size, ...common })
    if (!stats.isDirectory()) return void tree.skipped.push(`${source}: it is neither a file nor a folder`)
    const identity = `${stats.dev}:${stats.ino}`
    if (above.includes(identity)) return void tree.skipped.push(`${source}: it leads back to a folder above it`)
    tree.entries.push({ kind: 'folder', bytes: 0, ...common })
    for (const name of (await readdir(source)).sort()) {
      await look(join(source, name), `${path}/${name}`, [...above, identity], tree, signal)
    }
  } catch (error) {
    signal.throwIfAborted()
    tree.skipped.push(`${source}: ${reasonOf(error)}`)
  }
}
