import { opendir, stat } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { CpnError } from '../common/errors.ts'
import { isImageFile } from './image-files.ts'
import type { NewInput } from './ledger.ts'

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
  | { kind: 'ignored'; path: string }
  /** A folder whose pictures are not looked at. */
  | { kind: 'left-out'; path: string; reason: string }

/**
 * The PATHs of a command line, checked. A lone folder maps onto OUT itself; of several PATHs each gets its own name
 * there, so that equal relative names do not collide. Ends with CPN_ERR_INPUT_MISSING before anything has begun.
 */
export async function resolveRoots(paths: readonly string[]): Promise<Root[]> {
  const taken = new Set<string>()
  const roots: Root[] = []
  for (const path of new Set(paths.map((each) => resolve(each)))) {
    const kind = await kindOf(path)
    roots.push({ path, kind, name: kind === 'folder' && paths.length === 1 ? '' : freeName(basename(path), taken) })
  }
  return roots
}

/** Default OUT: beside a lone PATH, named after it; `predicted` here for several. Absolute. */
export function defaultOut(roots: readonly Root[]): string {
  const [root] = roots
  if (roots.length !== 1 || !root) return resolve('predicted')
  const stem = root.kind === 'file' ? basename(root.path, extname(root.path)) : basename(root.path)
  return join(dirname(root.path), `${stem}-predicted`)
}

/** Every picture under the roots, streamed. Hidden files and folders, links to folders and OUT itself are left out. */
export async function* findInputs(roots: readonly Root[], out: string): AsyncGenerator<Found> {
  for (const root of roots) {
    if (root.kind === 'file') yield { kind: 'input', input: await describe(root.path, root.name) }
    else yield* walk(root.path, root.name, out)
  }
}

async function* walk(folder: string, name: string, out: string): AsyncGenerator<Found> {
  const entries = await opendir(folder).catch((error: Error) => error)
  if (entries instanceof Error) {
    yield { kind: 'left-out', path: folder, reason: `it cannot be listed: ${entries.message}` }
    return
  }
  for await (const entry of entries) {
    const path = join(folder, entry.name)
    if (entry.name.startsWith('.') || path === out) continue
    const entryName = name === '' ? entry.name : `${name}/${entry.name}`
    if (entry.isDirectory()) yield* subfolder(path, entryName, out)
    else if (entry.isFile() || entry.isSymbolicLink()) yield* file(path, entryName)
  }
}

async function* subfolder(path: string, name: string, out: string): AsyncGenerator<Found> {
  if (await isOutput(path)) yield { kind: 'left-out', path, reason: 'it holds the output of an earlier run' }
  else yield* walk(path, name, out)
}

// Annotated copies as inputs of the next run would be annotated again and again.
async function isOutput(folder: string): Promise<boolean> {
  const files = ['predictions.jsonl', 'summary.json'].map((name) => stat(join(folder, name)))
  return (await Promise.allSettled(files)).every(({ status }) => status === 'fulfilled')
}

async function* file(path: string, name: string): AsyncGenerator<Found> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isDirectory()) return
  if (!(await isImageFile(path))) yield { kind: 'ignored', path }
  // A link that leads nowhere is told of as unreadable when its turn comes.
  else yield { kind: 'input', input: { name, source: path, bytes: found?.size ?? 0, mtimeMs: found?.mtimeMs ?? 0 } }
}

async function describe(path: string, name: string): Promise<NewInput> {
  const { size, mtimeMs } = await stat(path)
  return { name, source: path, bytes: size, mtimeMs }
}

async function kindOf(path: string): Promise<Root['kind']> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file'
  } catch (cause) {
    throw new CpnError('CPN_ERR_INPUT_MISSING', `${path} cannot be read: ${(cause as Error).message}`, {
      cause,
      suggestions: ['Name a folder or a picture that exists.'],
    })
  }
}

function freeName(wanted: string, taken: Set<string>): string {
  const extension = extname(wanted)
  const stem = basename(wanted, extension)
  let name = wanted
  for (let next = 2; taken.has(name); next++) name = `${stem}-${next}${extension}`
  taken.add(name)
  return name
}
