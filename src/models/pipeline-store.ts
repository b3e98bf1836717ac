import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { CpnError, reasonOf, systemErrorCode } from '../common/errors.ts'
import { didYouMean } from '../inventory/nearest.ts'
import { namesIn } from './folder.ts'
import {
  byVersion,
  firstVersions,
  labelOf,
  type PipelineName,
  type PipelineVersion,
  pipelineNames,
  pipelineVersionSchema,
} from './pipeline-version.ts'

/** One change of the version in use. */
const activationSchema = z.object({
  version: z.string(),
  /** ISO 8601, UTC. */
  since: z.string(),
  /** user@machine */
  by: z.string(),
  /** Nodes that take no part with this version, by name, and why. */
  without: z.record(z.string(), z.string()).default({}),
})
export type Activation = z.infer<typeof activationSchema>

const activeSchema = z.partialRecord(z.enum(pipelineNames), z.array(activationSchema))
type Active = z.infer<typeof activeSchema>

/**
 * The versions of an inventory's pipelines in one folder: <name>@<version>.json says what a version is, active.json which
 * one is in use and which were before. Writers hold the rollout's lock; readers see a file whole or not at all.
 */
export class PipelineStore {
  readonly #dir: string

  /** @param dir absolute; it may not exist yet */
  constructor(dir: string) {
    this.#dir = dir
  }

  /** All that are known, by name, older before newer. */
  async list(): Promise<PipelineVersion[]> {
    const files = (await namesIn(this.#dir)).filter((file) => /^[a-z-]+@.+\.json$/.test(file))
    const own = await Promise.all(files.map((file) => this.#read(file)))
    return [...firstVersions(), ...own].sort((a, b) => a.name.localeCompare(b.name, 'en') || byVersion(a, b))
  }

  /** `name@version`, or by `name` the newest. Throws CPN_ERR_MODEL_UNKNOWN. */
  async find(text: string): Promise<PipelineVersion> {
    const all = await this.list()
    const found = all.findLast((each) => each.name === text || labelOf(each) === text)
    if (found) return found
    const labels = all.map(labelOf)
    const guess = didYouMean(text, [...pipelineNames, ...labels], '')
    throw new CpnError('CPN_ERR_MODEL_UNKNOWN', `there is no pipeline "${text}"${guess === '' ? '' : `: ${guess}`}`, {
      suggestions: [`Choose one of ${labels.join(', ')}.`, 'Make a version of your own: cpn models define --help'],
    })
  }

  /** Adds a version. Throws CPN_ERR_MODEL_INVALID when there is another one of its name. */
  async define(version: PipelineVersion): Promise<void> {
    const known = (await this.list()).find((each) => labelOf(each) === labelOf(version))
    if (known && JSON.stringify(known) === JSON.stringify(pipelineVersionSchema.parse(version))) return
    if (known) throw taken(version)
    await this.#write(`${labelOf(version)}.json`, pipelineVersionSchema.parse(version), link).catch((cause) => {
      throw systemErrorCode(cause.cause) === 'EEXIST' ? taken(version) : cause
    })
  }

  /** The version in use. */
  async active(name: PipelineName): Promise<PipelineVersion> {
    const last = (await this.history(name)).at(-1)
    return this.find(`${name}@${last?.version ?? '1'}`)
  }

  /** The versions that were pushed and not rolled back, oldest first; version 1 was in use before all of them. */
  async history(name: PipelineName): Promise<Activation[]> {
    return (await this.#active())[name] ?? []
  }

  /** Every version that is in use, or that a rollback would bring back next. */
  async kept(): Promise<PipelineVersion[]> {
    const active = await this.#active()
    const names = pipelineNames.flatMap((name) =>
      ['1', ...(active[name] ?? []).map(({ version }) => version)].slice(-2).map((version) => `${name}@${version}`),
    )
    return Promise.all([...new Set(names)].map((label) => this.find(label)))
  }

  /** Brings a version into use; one that is in use already only gets another list of nodes that take no part. */
  async activate({ name }: PipelineVersion, activation: Activation): Promise<void> {
    const active = await this.#active()
    const before = active[name] ?? []
    const isSame = (before.at(-1)?.version ?? '1') === activation.version
    const kept = isSame ? before.slice(0, -1) : before
    const since = isSame ? (before.at(-1)?.since ?? activation.since) : activation.since
    await this.#write('active.json', { ...active, [name]: [...kept, { ...activation, since }] }, rename)
  }

  /** Brings the version before back into use. Throws CPN_ERR_USAGE when there is none. */
  async rollBack(name: PipelineName): Promise<{ from: PipelineVersion; to: PipelineVersion }> {
    const from = await this.active(name)
    const active = await this.#active()
    const left = (active[name] ?? []).slice(0, -1)
    const to = await this.find(`${name}@${left.at(-1)?.version ?? '1'}`)
    if (labelOf(to) === labelOf(from)) throw nothingBefore(from)
    await this.#write('active.json', { ...active, [name]: left }, rename)
    return { from, to }
  }

  async #active(): Promise<Active> {
    const text = await readFile(join(this.#dir, 'active.json'), 'utf8').catch((error: unknown) => {
      if (systemErrorCode(error) === 'ENOENT') return '{}'
      throw unusable(join(this.#dir, 'active.json'), reasonOf(error), error)
    })
    try {
      return activeSchema.parse(JSON.parse(text))
    } catch (cause) {
      throw unusable(join(this.#dir, 'active.json'), 'it is damaged', cause)
    }
  }

  async #read(file: string): Promise<PipelineVersion> {
    const path = join(this.#dir, file)
    try {
      const version = pipelineVersionSchema.parse(JSON.parse(await readFile(path, 'utf8')))
      if (`${labelOf(version)}.json` === file) return version
    } catch (cause) {
      throw unusable(path, 'it is damaged', cause)
    }
    throw unusable(path, 'it describes another version than its name says')
  }

  /** @param put gives the finished file its name */
  async #write(file: string, content: object, put: (from: string, to: string) => Promise<void>): Promise<void> {
    const path = join(this.#dir, file)
    const temporary = join(this.#dir, `.${randomBytes(6).toString('hex')}`)
    try {
      await mkdir(this.#dir, { recursive: true, mode: 0o700 })
      await writeFile(temporary, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600, flush: true })
      await put(temporary, path)
    } catch (cause) {
      throw new CpnError('CPN_ERR_STATE_DIR', `${path} cannot be written: ${reasonOf(cause)}`, {
        cause,
        suggestions: ['Make its folder writable and see that the disk has space, then run the command again.'],
      })
    } finally {
      await rm(temporary, { force: true })
    }
  }
}

function taken(version: PipelineVersion): CpnError {
  return new CpnError(
    'CPN_ERR_MODEL_INVALID',
    `${labelOf(version)} is defined already, with other models or thresholds`,
    {
      suggestions: ['Choose another version: what one means never changes.'],
    },
  )
}

function nothingBefore(version: PipelineVersion): CpnError {
  return new CpnError('CPN_ERR_USAGE', `${labelOf(version)} is in use, and there is no version before it`, {
    suggestions: ['See what there is: cpn models list', 'Choose a version: cpn models push NAME@VERSION'],
  })
}

function unusable(path: string, reason: string, cause?: unknown): CpnError {
  const without = path.endsWith('active.json')
    ? 'version 1 of every pipeline is in use then'
    : 'its version is unknown then'
  return new CpnError('CPN_ERR_STATE_DIR', `${path} cannot be used: ${reason}`, {
    cause,
    suggestions: ['Bring it back from a copy of the folder.', `Or move it away; ${without}: mv ${path} ${path}.bad`],
  })
}
