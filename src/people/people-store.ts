import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256 } from '../common/digest.ts'
import { CpnError, reasonOf, systemErrorCode } from '../common/errors.ts'
import { replaceFile } from '../inventory/replace-file.ts'
import { noPeople, type People } from './people.ts'
import { decodePeople, encodePeople } from './people-file.ts'
import { keptTraces, type WantedTraces, withoutWanted } from './wanted-traces.ts'

/** Older versions that are kept, to go back to by hand. */
const versionsKept = 10

/**
 * Who is enrolled, in one folder (0700): people.ndjson, versions/ with what it was before, and forgetting/ with what is
 * needed to find somebody who is not forgotten everywhere yet. Several processes may use it: a change is made to what is
 * there at that moment, whole or not at all.
 */
export class PeopleStore {
  readonly #file: string
  readonly #versions: string
  readonly #forgetting: string
  readonly #exportsFile: string

  /** @param dir absolute; it may not exist yet */
  constructor(dir: string) {
    this.#file = join(dir, 'people.ndjson')
    this.#versions = join(dir, 'versions')
    this.#forgetting = join(dir, 'forgetting')
    this.#exportsFile = join(dir, 'exports.ndjson')
  }

  get file(): string {
    return this.#file
  }

  /** Rejects with CPN_ERR_GALLERY_DAMAGED or CPN_ERR_STATE_DIR. */
  async read(): Promise<People> {
    try {
      return decodePeople(await readFile(this.#file, 'utf8'), this.#file)
    } catch (cause) {
      if (cause instanceof CpnError) throw cause
      if (systemErrorCode(cause) === 'ENOENT') return noPeople
      throw unreadable(this.#file, cause)
    }
  }

  /**
   * Replaces everybody by what `change` makes of them; nothing is written when it returns the same object. What was there
   * becomes an older version. Rejects as `read` does, with what `change` throws, and with CPN_ERR_STATE_DIR.
   */
  async update(change: (people: People) => People): Promise<People> {
    return this.#replace(change, (before) => this.#keep(before))
  }

  async #replace(change: (people: People) => People, keep: (before: People) => Promise<void>): Promise<People> {
    await mkdir(this.#versions, { recursive: true, mode: 0o700 })
    let result = noPeople
    await replaceFile(
      this.#file,
      async () => {
        const before = await this.read()
        result = change(before)
        if (result === before) return encodePeople(before)
        if (before.version > 0) await keep(before)
        result = { ...result, version: before.version + 1, model: result.people.length > 0 ? result.model : undefined }
        return encodePeople(result)
      },
      'CPN_ERR_STATE_DIR',
      0o600,
    )
    return result
  }

  /**
   * Takes somebody out of what is there, and removes all older versions. Kept is what finds them again, until
   * `endForgetting`: who is interrupted can go on. Returns who is left, and how many versions were removed.
   */
  async forget(wanted: WantedTraces): Promise<{ people: People; versions: number }> {
    await mkdir(this.#forgetting, { recursive: true, mode: 0o700 })
    for (const kept of keptTraces(wanted)) {
      const file = join(this.#forgetting, `${sha256(`${wanted.name} ${kept.model!.sha256}`).slice(0, 32)}.ndjson`)
      await replaceFile(file, async () => encodePeople(kept), 'CPN_ERR_STATE_DIR', 0o600)
    }
    const people = await this.#replace(
      (now) => withoutWanted(now, wanted),
      async () => {},
    )
    const versions = await filesIn(this.#versions)
    await Promise.all(versions.map((file) => rm(file, { force: true })))
    return { people, versions: versions.length }
  }

  /** Nothing is left of somebody that could still be forgotten: nothing is kept to find them by. */
  async endForgetting(wanted: WantedTraces): Promise<void> {
    for (const file of await filesIn(this.#forgetting)) {
      const kept = await readWhole(file)
      // What is damaged finds nobody any more.
      if (!kept || withoutWanted(kept, wanted).people.length === 0) await rm(file, { force: true })
    }
  }

  /** Older versions, and what is kept of those who are not forgotten everywhere yet; without what is damaged. */
  async older(): Promise<People[]> {
    const files = [...(await filesIn(this.#versions)), ...(await filesIn(this.#forgetting))]
    return (await Promise.all(files.map(readWhole))).filter((people) => people !== undefined)
  }

  /** Notes that a copy of everybody was made there, to be told of when somebody is to be forgotten. */
  async noteExport(file: string): Promise<void> {
    const edit = async () => {
      const known = await this.exports()
      return [...known.filter((path) => path !== file), file].map((path) => `${JSON.stringify(path)}\n`).join('')
    }
    await replaceFile(this.#exportsFile, edit, 'CPN_ERR_STATE_DIR', 0o600)
  }

  /** Absolute paths of copies that were made. Rejects with CPN_ERR_STATE_DIR. */
  async exports(): Promise<string[]> {
    try {
      const text = await readFile(this.#exportsFile, 'utf8')
      return text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as string)
    } catch (cause) {
      if (systemErrorCode(cause) === 'ENOENT') return []
      throw unreadable(this.#exportsFile, cause)
    }
  }

  async #keep(people: People): Promise<void> {
    const name = `${String(people.version).padStart(8, '0')}.ndjson`
    const file = join(this.#versions, name)
    try {
      await writeFile(file, encodePeople(people), { mode: 0o600, flush: true })
    } catch (error) {
      // Half a version is none to go back to.
      await rm(file, { force: true })
      throw error
    }
    const files = await filesIn(this.#versions)
    await Promise.all(files.slice(0, -versionsKept).map((file) => rm(file, { force: true })))
  }
}

/** By name: the oldest version first. */
async function filesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => [])
  return names.sort().map((name) => join(folder, name))
}

const readWhole = (file: string): Promise<People | undefined> =>
  readFile(file, 'utf8')
    .then((text) => decodePeople(text, file))
    .catch(() => undefined)

function unreadable(file: string, cause: unknown): CpnError {
  return new CpnError('CPN_ERR_STATE_DIR', `${file} cannot be read: ${reasonOf(cause)}`, { cause })
}
