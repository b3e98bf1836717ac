import type { Entry } from './entries.ts'
import { transferError } from './failure.ts'
import { below, folderAbove } from './scripts.ts'

/** What is at the target of a copy, and whether its folder is there. */
export interface Look {
  kind: 'folder' | 'file' | 'none'
  hasFolder: boolean
}

/**
 * Where entries go on a host: below a folder that is there, with the paths that they get. As `cp -r` does it: into the
 * target where it is a folder, else under its name. Throws CPN_ERR_TRANSFER.
 */
export function placeEntries<T extends Entry>(
  host: string,
  entries: T[],
  target: string,
  { kind, hasFolder }: Look,
): { root: string; entries: T[] } {
  if (kind === 'folder') return { root: target, entries }
  const tops = entries.filter(({ path }) => !path.includes('/'))
  const suggestion = ['Name a folder that exists on the host.']
  if (target.endsWith('/') || tops.length > 1) throw transferError(host, `${target} is no folder there`, suggestion)
  if (!hasFolder) throw transferError(host, `the folder of ${target} does not exist there`, suggestion)
  if (kind === 'file' && tops[0]?.kind === 'folder') {
    throw transferError(host, `${target} is a file there and cannot become a folder`, suggestion)
  }
  const name = target.slice(target.lastIndexOf('/') + 1)
  return { root: folderAbove(target), entries: entries.map((entry) => ({ ...entry, path: renamed(entry.path, name) })) }
}

function renamed(path: string, name: string): string {
  const slash = path.indexOf('/')
  return slash < 0 ? name : below(name, path.slice(slash + 1))
}
