import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

export interface TreeEntry {
  /** Relative to the folder looked at. */
  path: string
  type: 'file' | 'folder' | 'link' | 'socket' | 'other'
  /** Permission bits in octal, e.g. '600'. */
  mode: string
  /** Bytes of a file; 0 for the rest. */
  size: number
  /** sha256 of a file's bytes, target of a link, empty for the rest. */
  digest: string
}

/** Everything below a folder, sorted by path: two snapshots are equal when nothing was left behind or changed. */
export function fileTree(root: string): TreeEntry[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((path) => treeEntry(root, path))
}

function treeEntry(root: string, path: string): TreeEntry {
  const full = join(root, path)
  const stats = lstatSync(full)
  const mode = (stats.mode & 0o7777).toString(8)
  if (stats.isFile()) return { path, type: 'file', mode, size: stats.size, digest: digestOf(full) }
  if (stats.isSymbolicLink()) return { path, type: 'link', mode, size: 0, digest: readlinkSync(full) }
  const type = stats.isDirectory() ? 'folder' : stats.isSocket() ? 'socket' : 'other'
  return { path, type, mode, size: 0, digest: '' }
}

function digestOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}
