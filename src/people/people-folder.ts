import {
  constants,
  copyFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { reasonOf, systemErrorCode } from '../common/errors.ts'
import { peopleFolderMarker } from '../runs/people-folder-marker.ts'
import { temporaryName } from '../runs/temporary-files.ts'

/** What a folder of a person, or of a group, has in it. */
export interface WantedFolder {
  name: string
  links: WantedLink[]
  sheet?: WantedSheet
}

export interface WantedLink {
  /** Name that it gets unless something else has it. */
  name: string
  /** Relative to the folder. */
  target: string
}

export interface WantedSheet {
  /** Says what the page shows: it is written again when that is another. */
  key: string
  /** @param names of the links, in their order */
  html(names: readonly string[]): string
}

const sheetName = 'contact-sheet.html'
const format = 'cpn people folder 1'

/**
 * Something that cpn made. A link is known by where it leads, or led before it was being replaced, a file by its size and
 * time, one that was being written by its name alone.
 */
type Made = { link: string; before?: string } | { bytes: number; mtimeMs: number; key: string } | { begun: true }

/** By path below the folder, with `/`. */
type Manifest = Map<string, Made>

/** A file that has to be there. */
type Wanted = { link: string } | { key: string; write: (path: string) => void }

/** File systems without links say one of these. */
const withoutLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

/**
 * Makes `dir` what is wanted: folders with links to photos and contact sheets. What was made before and is not wanted any
 * more goes; what cpn has not made, or somebody has changed since, stays and keeps its name. Nothing is written where nothing
 * is another. Blocks its thread.
 * @param dir absolute; its parent exists
 * @returns what could not be made, for people to read
 */
export function updatePeopleFolder(dir: string, folders: readonly WantedFolder[]): string[] {
  const before = readManifest(dir)
  if (before.size === 0 && folders.length === 0) return []
  return new Update(dir, before).go(folders)
}

class Update {
  readonly #dir: string
  /** What was made before. */
  readonly #before: Manifest
  /** What is there of what was made before. */
  readonly #ours: Manifest
  readonly #now: Manifest = new Map()
  readonly #faults: string[] = []
  #changed: boolean

  constructor(dir: string, before: Manifest) {
    this.#dir = dir
    this.#before = before
    this.#ours = new Map([...before].filter(([path, made]) => isAsMade(join(dir, path), made)))
    this.#changed = this.#ours.size < before.size
  }

  go(folders: readonly WantedFolder[]): string[] {
    if (!this.#makeFolder(this.#dir)) return this.#faults
    const wanted = new Map<string, Wanted>()
    for (const folder of folders) this.#plan(folder, wanted)
    const missing = [...wanted].filter(([path, file]) => !this.#isThere(path, file))
    const gone = [...this.#ours.keys()].filter((path) => !wanted.has(path))
    for (const path of wanted.keys()) if (this.#ours.has(path)) this.#now.set(path, this.#ours.get(path)!)
    if (missing.length > 0 || gone.length > 0) {
      // Known as ours before it is there: whoever ends in the middle leaves nothing that nobody removes.
      const begun = missing.map(([path, file]) => [path, this.#begun(path, file)] as const)
      this.#write(new Map([...this.#ours, ...begun]))
      for (const path of gone) this.#remove(path)
      for (const [path, file] of missing) this.#make(path, file)
      this.#changed = true
    }
    if (this.#changed) this.#write(this.#now)
    for (const folder of foldersOf(gone)) removeEmpty(join(this.#dir, folder))
    const names = new Set(folders.map(({ name }) => name))
    for (const folder of foldersOf([...this.#before.keys()])) if (!names.has(folder)) this.#tellSheet(folder)
    if (this.#now.size === 0) removeEmpty(this.#dir)
    return this.#faults
  }

  #plan({ name, links, sheet }: WantedFolder, wanted: Map<string, Wanted>): void {
    const folder = join(this.#dir, name)
    if (!this.#makeFolder(folder)) return
    const others = readdirSync(folder).filter((file) => !this.#ours.has(`${name}/${file}`))
    const taken = new Set([...others, sheetName].map(caseless))
    const names = links.map((link) => {
      const free = freeName(link.name, taken)
      wanted.set(`${name}/${free}`, { link: link.target })
      return free
    })
    if (!sheet) return
    if (others.some((other) => caseless(other) === sheetName)) {
      this.#faults.push(`${join(folder, sheetName)} is not cpn's and stays as it is`)
      return
    }
    const key = JSON.stringify([sheet.key, names])
    wanted.set(`${name}/${sheetName}`, { key, write: (path) => writeFileSync(path, sheet.html(names), { flag: 'wx' }) })
  }

  /** A page that somebody has changed, or copied with all of OUT, goes on showing the faces of a group that is no more. */
  #tellSheet(folder: string): void {
    const path = `${folder}/${sheetName}`
    if (this.#ours.has(path) || !lookAt(join(this.#dir, path))) return
    this.#faults.push(`${join(this.#dir, path)} is not as cpn made it: it stays, and may show faces`)
  }

  #isThere(path: string, file: Wanted): boolean {
    const made = this.#ours.get(path)
    if (!made || 'begun' in made) return false
    if ('link' in made) return 'link' in file && readlinkSync(join(this.#dir, path)) === file.link
    return made.key === ('link' in file ? this.#keyOfCopy(path, file.link) : file.key)
  }

  #begun(path: string, file: Wanted): Made {
    const before = this.#ours.get(path)
    if (!('link' in file)) return { begun: true }
    return before && 'link' in before ? { link: file.link, before: before.link } : file
  }

  #make(path: string, file: Wanted): void {
    const place = join(this.#dir, path)
    // What is there is ours, and is replaced in one step.
    const temporary = this.#ours.has(path) ? temporaryName(place) : place
    try {
      const key = 'link' in file ? this.#link(path, file.link, temporary) : file.key
      if (!('link' in file)) file.write(temporary)
      if (temporary !== place) renameSync(temporary, place)
      this.#now.set(path, key === undefined ? (file as { link: string }) : fileAt(place, key))
    } catch (error) {
      if (temporary !== place) rmSync(temporary, { force: true })
      this.#faults.push(`${place} cannot be made: ${reasonOf(error)}`)
    }
  }

  /** A link, or where there are none a copy, whose key it returns. */
  #link(path: string, target: string, place: string): string | undefined {
    try {
      symlinkSync(target, place)
      return undefined
    } catch (error) {
      if (!withoutLinks.has(systemErrorCode(error) ?? '')) throw error
    }
    const key = this.#keyOfCopy(path, target)
    copyFileSync(join(this.#dir, dirname(path), target), place, constants.COPYFILE_EXCL)
    return key
  }

  /** Another one when the original is. */
  #keyOfCopy(path: string, target: string): string {
    const { size, mtimeMs } = statSync(join(this.#dir, dirname(path), target), { throwIfNoEntry: false }) ?? {}
    return JSON.stringify([target, size, mtimeMs])
  }

  #remove(path: string): void {
    try {
      rmSync(join(this.#dir, path), { force: true })
    } catch (error) {
      this.#now.set(path, this.#ours.get(path)!)
      this.#faults.push(`${join(this.#dir, path)} cannot be removed: ${reasonOf(error)}`)
    }
  }

  /** Nothing is written through a link that somebody put in a folder's place. */
  #makeFolder(path: string): boolean {
    try {
      mkdirSync(path)
      return true
    } catch (error) {
      if (systemErrorCode(error) === 'EEXIST' && lookAt(path)?.isDirectory()) return true
      const reason = systemErrorCode(error) === 'EEXIST' ? 'something that is no folder has its name' : reasonOf(error)
      this.#faults.push(`${path} cannot be made: ${reason}`)
      return false
    }
  }

  #write(manifest: Manifest): void {
    const file = join(this.#dir, peopleFolderMarker)
    if (manifest.size === 0) {
      rmSync(file, { force: true })
      return
    }
    const temporary = temporaryName(file)
    writeFileSync(temporary, JSON.stringify({ format, made: Object.fromEntries(manifest) }))
    renameSync(temporary, file)
  }
}

function fileAt(path: string, key: string): Made {
  const { size, mtimeMs } = lstatSync(path)
  return { bytes: size, mtimeMs, key }
}

/** One that is missing or not to be read says that nothing is ours. */
function readManifest(dir: string): Manifest {
  try {
    const found = JSON.parse(readFileSync(join(dir, peopleFolderMarker), 'utf8'))
    if (found.format !== format) return new Map()
    const made = Object.entries(found.made) as [string, Made][]
    // Whoever wrote it: nothing but what is in folders of this one is touched.
    return new Map(made.filter(([path]) => /^[^/]+\/[^/]+$/.test(path) && !/(^|\/)\.\.?(\/|$)/.test(path)))
  } catch {
    return new Map()
  }
}

function isAsMade(path: string, made: Made): boolean {
  if (!lookAt(dirname(path))?.isDirectory()) return false
  const found = lookAt(path)
  if (!found) return false
  if ('link' in made) return found.isSymbolicLink() && [made.link, made.before].includes(readlinkSync(path))
  if ('begun' in made) return found.isFile()
  return found.isFile() && found.size === made.bytes && found.mtimeMs === made.mtimeMs
}

const lookAt = (path: string): Stats | undefined => {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

/** Other people's files in it keep a folder. */
function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder)
  } catch {}
}

const foldersOf = (paths: readonly string[]) => new Set(paths.map((path) => dirname(path)))

/** Some file systems take names that differ in case, or in how they are composed, for the same. */
const caseless = (name: string) => name.normalize('NFC').toLowerCase()

function freeName(wanted: string, taken: Set<string>): string {
  const extension = extname(wanted)
  const stem = wanted.slice(0, wanted.length - extension.length)
  let name = wanted
  for (let next = 2; taken.has(caseless(name)); next++) name = `${stem}-${next}${extension}`
  taken.add(caseless(name))
  return name
}
