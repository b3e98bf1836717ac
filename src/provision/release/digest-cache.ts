import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import * as z from 'zod'
import { sha256File } from '../../common/digest.ts'
import { sha256Schema } from '../../protocol/model.ts'

const entrySchema = z.object({ bytes: z.number(), modified: z.number(), sha256: sha256Schema })
type Entry = z.infer<typeof entrySchema>

/** Digests of files by path, size and modification time, so that 200 MB are not read again for each command. */
export class DigestCache {
  readonly #file: string
  readonly #entries: Map<string, Entry>
  #changed = false

  private constructor(file: string, entries: Map<string, Entry>) {
    this.#file = file
    this.#entries = entries
  }

  static async open(file: string): Promise<DigestCache> {
    return new DigestCache(file, new Map(Object.entries(await readEntries(file))))
  }

  /** Size and sha256 of a file. */
  async digest(path: string, signal?: AbortSignal): Promise<{ bytes: number; sha256: string }> {
    const { size: bytes, mtimeMs: modified } = await stat(path)
    const known = this.#entries.get(path)
    if (known?.bytes === bytes && known.modified === modified) return known
    const entry = { bytes, modified, sha256: await sha256File(path, signal) }
    this.#entries.set(path, entry)
    this.#changed = true
    return entry
  }

  /** Digests of the files that are still what they were. */
  async present(): Promise<Set<string>> {
    const found = await Promise.all(
      [...this.#entries].map(async ([path, { bytes, modified, sha256 }]) => {
        const now = await stat(path).catch(() => undefined)
        return now?.size === bytes && now.mtimeMs === modified ? [sha256] : []
      }),
    )
    return new Set(found.flat())
  }

  /** Writes what was learnt. */
  async save(): Promise<void> {
    if (!this.#changed) return
    await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 })
    const temporary = `${this.#file}.${randomUUID()}`
    await writeFile(temporary, JSON.stringify(Object.fromEntries(this.#entries)))
    await rename(temporary, this.#file)
    this.#changed = false
  }
}

// A cache that cannot be read is an empty one.
async function readEntries(file: string): Promise<Record<string, Entry>> {
  try {
    return z.record(z.string(), entrySchema).parse(JSON.parse(await readFile(file, 'utf8')))
  } catch {
    return {}
  }
}
