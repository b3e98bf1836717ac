import { randomBytes } from 'node:crypto'
import { posix } from 'node:path'
import type { RemoteFiles } from '../transport.ts'
import { type Entry, largeFileBytes } from './entries.ts'
import { isRefused } from './failure.ts'
import { partOf } from './large-scripts.ts'
import { below } from './scripts.ts'

/*
 * Parts of files that are sent by SFTP. Nothing on the host can rename what an interrupted copy leaves, so it keeps the
 * name that it was written under: its beginning says what it is a part of, and the rest is random. Like that nobody can
 * put a link or a file there in advance, two copies at once write two files, and the next copy finds it.
 */

/** A path for a new part of a file. */
export function newPart(root: string, file: Entry): string {
  return below(root, `${partPrefix(file)}${randomBytes(6).toString('hex')}.part`)
}

/** The paths of what earlier copies may have left of this version of a file. */
export async function partsThere(files: RemoteFiles, root: string, file: Entry): Promise<string[]> {
  if (file.bytes < largeFileBytes) return []
  const prefix = below(root, partPrefix(file))
  try {
    const names = await files.list(posix.dirname(prefix))
    const parts = names.filter((name) => name.startsWith(posix.basename(prefix)) && name.endsWith('.part'))
    return parts.map((name) => below(posix.dirname(prefix), name))
  } catch (error) {
    // A folder that may be written need not be readable.
    if (isRefused(error)) return []
    throw error
  }
}

/**
 * Renames a part, which only one of two copies can do.
 * @returns its bytes; undefined when it is no file of the user's own and was left or taken away
 */
export async function takeOver(files: RemoteFiles, left: string, part: string): Promise<number | undefined> {
  try {
    await files.rename(left, part)
    const found = await files.status(part, true)
    // Only its owner may change a mode: what somebody else put there must not become the file.
    if (found?.kind === 'file') {
      await files.setModeAndTime(part, 0o600, found.mtime)
      return found.bytes
    }
  } catch (error) {
    if (!isRefused(error)) throw error
  }
  await files.remove(part).catch(() => undefined)
  return undefined
}

function partPrefix(file: Entry): string {
  return partOf(file).replace(/part$/, '')
}
