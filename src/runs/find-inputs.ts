import type { Dirent, Stats } from 'node:fs'
import { opendir, realpath, stat } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve, sep } from 'node:path'
import { CpnError, reasonOf, systemErrorCode } from '../common/errors.ts'
import { mapAhead } from '../common/map-ahead.ts'
import { kindOfFile } from './image-files.ts'
import type { NewInput } from './ledger.ts'
import { peopleFolderMarker } from './people-folder-marker.ts'

/** A PATH of the command line with the place its files get in OUT. */
export interface Root {
  /** Absolute. */
  path: string
  kind: 'file' | 'folder'
  /** Folder in OUT, or for a file its name there. '' puts a folder's files into OUT itself. */
  name: string
}

export type Found =
  | { kind: 'input'; input: NewInput }
  /** `unread`: a picture of a kind that no node reads, its extension. */
  | { kind: 'ignored'; path: string; unread?: string }
  /** A folder, or a file that cannot be named, that is not looked at. */
  | { kind: 'left-out'; path: string; reason: string }

interface Folder {
  kind: 'folder'
  path: string
  /** Relative path in OUT. */
  name: string
}

/**
 * The PATHs of a command line, checked. A lone folder maps onto OUT itself; of several PATHs each gets its own name
 * there, so that equal relative names do not collide. Ends with CPN_ERR_INPUT_MISSING, or CPN_ERR_USAGE for folders of people,
 * before anything has begun.
 */
export async function resolveRoots(paths: readonly string[]): Promise<Root[]> {
  const taken = new Set<string>()
  const roots: Root[] = []
  const distinct = new Set(paths.map((each) => resolve(each)))
  for (const path of distinct) {
    const kind = await kindOf(path)
    await assertNoPeopleFolder(path)
    const name = kind === 'folder' && distinct.size === 1 ? '' : freeName(basename(path), taken)
    roots.push({ path, kind, name })
  }
  return roots
}

/**
 * Refuses an OUT in which a result would take the place of an input. Ends with CPN_ERR_USAGE.
 * @param out absolute; need not exist yet
 */
export async function assertKeepsOriginals(roots: readonly Root[], out: string): Promise<void> {
  const target = await realPath(out)
  for (const root of roots) {
    const path = await realPath(root.path)
    const place = root.name === '' ? target : join(target, root.name)
    if (place !== path && !path.startsWith(`${place}${sep}`)) continue
    throw new CpnError('CPN_ERR_USAGE', `the results would be written over the originals in ${root.path}`, {
      suggestions: ['Name another folder with --out.'],
    })
  }
}

/** A path with links resolved as far as it exists. */
export async function realPath(path: string): Promise<string> {
  const parent = dirname(path)
  return realpath(path).catch(async () => (parent === path ? path : join(await realPath(parent), basename(path))))
}

/** Default OUT: beside a lone PATH, named after it; `predicted` here for several. Absolute. */
export function defaultOut(roots: readonly Root[]): string {
  const [root] = roots
  if (roots.length !== 1 || !root) return resolve('predicted')
  const stem = root.kind === 'file' ? basename(root.path, extname(root.path)) : basename(root.path)
  return join(dirname(root.path), `${stem}-predicted`)
}

/**
 * Every picture under the roots, streamed. Hidden files and folders, links to folders and OUT itself are left out.
 * @param out real path of OUT
 */
export async function* findInputs(roots: readonly Root[], out: string): AsyncGenerator<Found> {
  for (const root of roots) {
    if (root.kind === 'file') yield input(root.path, root.name, await statOf(root.path))
    else yield* walk(root.path, root.name, out)
  }
}

/** Files that are looked at beforehand: a share in the network takes its time for each. */
const lookAhead = 16

async function* walk(folder: string, name: string, out: string): AsyncGenerator<Found> {
  try {
    const entries = await opendir(folder, { bufferSize: 256 })
    for await (const found of mapAhead(entries, lookAhead, (entry) => look(entry, folder, name))) {
      if (found?.kind === 'folder') yield* subfolder(found.path, found.name, out)
      else if (found) yield found
    }
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error
    yield leftOut(folder, `it cannot be listed: ${reasonOf(error)}`)
  }
}

/** What an entry of a folder is; undefined for what is left out without a word. */
async function look(entry: Dirent, folder: string, name: string): Promise<Found | Folder | undefined> {
  if (entry.name.startsWith('.')) return undefined
  const path = join(folder, entry.name)
  const entryName = name === '' ? entry.name : `${name}/${entry.name}`
  // What Node could not decode it cannot open by that name either.
  if (entry.name.includes('\ufffd') && !(await exists(path))) return leftOut(path, 'its name is not UTF-8; rename it')
  if (entry.isDirectory()) return { kind: 'folder', path, name: entryName }
  return entry.isFile() || entry.isSymbolicLink() ? file(path, entryName) : undefined
}

const leftOut = (path: string, reason: string): Found => ({ kind: 'left-out', path, reason })

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  )

async function* subfolder(path: string, name: string, out: string): AsyncGenerator<Found> {
  if (basename(path) === basename(out) && (await realPath(path)) === out) return
  if (await isOutput(path)) yield leftOut(path, 'it holds the output of an earlier run')
  else yield* walk(path, name, out)
}

// Annotated copies as inputs of the next run would be annotated again and again.
async function isOutput(folder: string): Promise<boolean> {
  return (
    (await exists(join(folder, peopleFolderMarker))) ||
    ((await exists(join(folder, 'predictions.jsonl'))) && exists(join(folder, 'summary.json')))
  )
}

/** Folders of people lead to pictures with marks, or twice to the same original: none of them is what somebody wants. */
async function assertNoPeopleFolder(path: string): Promise<void> {
  for (const folder of [path, dirname(path), dirname(dirname(path))]) {
    if (!(await exists(join(folder, peopleFolderMarker)))) continue
    throw new CpnError('CPN_ERR_USAGE', `${path} is an output of an earlier run: ${folder} has its photos by people`, {
      suggestions: [
        'Name the original photos.',
        'To say who a group of unknown faces is: cpn people name unknown-001 NAME',
      ],
    })
  }
}

async function file(path: string, name: string): Promise<Found | undefined> {
  const found = await statOf(path)
  if (found?.isDirectory()) return undefined
  // Reading a pipe or a device may never end.
  if (found && !found.isFile()) return { kind: 'ignored', path }
  const kind = await kindOfFile(path)
  if (kind.kind === 'image') return input(path, name, found)
  return { kind: 'ignored', path, ...(kind.kind === 'unread' ? { unread: kind.extension } : {}) }
}

/** A file that is gone by now is told of as unreadable when its turn comes. */
function input(path: string, name: string, found: Stats | undefined): Found {
  const { size = 0, mtimeMs = 0, ctimeMs = 0, ino = 0 } = found ?? {}
  return { kind: 'input', input: { name, source: path, bytes: size, mtimeMs, ctimeMs, ino } }
}

const statOf = (path: string) => stat(path).catch(() => undefined)

async function kindOf(path: string): Promise<Root['kind']> {
  try {
    const found = await stat(path)
    if (!found.isDirectory() && !found.isFile()) throw new Error('it is neither a file nor a folder')
    return found.isDirectory() ? 'folder' : 'file'
  } catch (cause) {
    throw new CpnError('CPN_ERR_INPUT_MISSING', `${path} cannot be read: ${reasonOf(cause)}`, {
      cause,
      suggestions: ['Name a folder or a picture that exists.'],
    })
  }
}

function freeName(wanted: string, taken: Set<string>): string {
  const extension = extname(wanted)
  const stem = basename(wanted, extension)
  let name = wanted
  // Some file systems take names that differ in case for the same.
  for (let next = 2; taken.has(name.toLowerCase()); next++) name = `${stem}-${next}${extension}`
  taken.add(name.toLowerCase())
  return name
}
