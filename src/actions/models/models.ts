import type { Context } from '../../common/context.ts'
import { sha256File } from '../../common/digest.ts'
import type { ErrorCode } from '../../common/error-codes.ts'
import { CpnError } from '../../common/errors.ts'
import { formatBytes } from '../../common/format.ts'
import { isEmbedded } from '../../models/embedded.ts'
import { UnreachableModel } from '../../models/pull.ts'
import { resolveModel } from '../../models/resolve.ts'
import { catalogue, type InstalledModel, type ModelStore } from '../../models/store.ts'
import type { ModelManifest } from '../../protocol/model.ts'

/** A model of the catalogue or of the store, as `cpn models list` shows it. */
export interface ModelEntry {
  name: string
  version: string
  family: string
  task: string
  description: string
  bytes: number
  licence: string
  sha256: string
  installed: boolean
  /** Its bytes come with cpn. */
  builtIn: boolean
}

/** The models of the catalogue in its order, then those that were added by hand. */
export async function listModels(store: ModelStore): Promise<ModelEntry[]> {
  const installed = await store.list()
  const has = (sha256: string) => installed.some(({ manifest }) => manifest.sha256 === sha256)
  const known = catalogue()
  const own = installed.map(({ manifest }) => manifest).filter(({ sha256 }) => !known.some((m) => m.sha256 === sha256))
  return [...known, ...own].map((manifest) => describe(manifest, has(manifest.sha256)))
}

/** Progress of one model; bytes that are here, out of all. */
export type OnPulling = (model: ModelManifest, received: number, total: number) => void

/**
 * The models that something is about to use, in the order of `names`, digests checked. What is missing or changed is
 * pulled after asking once for all; what comes with cpn is taken without a question. Throws CPN_ERR_MODEL_UNKNOWN before
 * anything is pulled, CPN_ERR_NEEDS_TERMINAL or CPN_ERR_DECLINED without a yes, CPN_ERR_MODEL_DOWNLOAD.
 */
export async function ensureModels(
  store: ModelStore,
  names: string[],
  ctx: Context,
  onPulling: OnPulling = () => {},
): Promise<InstalledModel[]> {
  const wanted = await resolveAll(store, names)
  const missing = new Map(wanted.filter((model) => !model.installed).map(({ manifest }) => [manifest.sha256, manifest]))
  await askFor(
    [...missing.values()].filter((manifest) => !isEmbedded(manifest)),
    ctx,
  )
  const here = new Map(wanted.map(({ manifest, installed }) => [manifest.sha256, installed]))
  for (const [sha256, manifest] of missing) here.set(sha256, await pullOne(store, manifest, ctx, onPulling))
  return wanted.map(({ manifest }) => here.get(manifest.sha256)!)
}

interface Wanted {
  manifest: ModelManifest
  /** Undefined when the bytes are missing or not what they were. */
  installed: InstalledModel | undefined
}

async function resolveAll(store: ModelStore, names: string[]): Promise<Wanted[]> {
  return Promise.all(
    names.map(async (name) => {
      const { manifest, installed } = await resolveModel(store, name)
      const whole = installed && (await sha256File(installed.path)) === manifest.sha256
      return { manifest, installed: whole ? installed : undefined }
    }),
  )
}

async function askFor(missing: ModelManifest[], ctx: Context): Promise<void> {
  if (missing.length === 0) return
  const lines = missing.map(({ name, bytes, licence }) => `  ${name}  ${formatBytes(bytes)}  licence: ${licence}`)
  const what = missing.length === 1 ? 'this model' : `these ${missing.length} models`
  if (await ctx.prompter.confirm(['wanted and not here yet:', ...lines, `Pull ${what}?`].join('\n'))) return
  const names = missing.map(({ name }) => name).join(' ')
  throw new CpnError('CPN_ERR_DECLINED', `not pulled: ${names}`, {
    suggestions: [`Run \`cpn models pull ${names}\` when you want to.`],
  })
}

const notAgreed: ErrorCode[] = ['CPN_ERR_DECLINED', 'CPN_ERR_NEEDS_TERMINAL']

/**
 * An error of ensureModels that says what does without a network, where the models could not be had or pulling them was not
 * agreed to; any other as it is.
 * @param how what to add or to run for the models that come with cpn
 */
export function withWayOut(error: unknown, how: string): unknown {
  if (!(error instanceof UnreachableModel || (error instanceof CpnError && notAgreed.includes(error.code))))
    return error
  const { code, message, suggestions, cause, retryable } = error
  const wayOut = `Without a network, do with the models that come with cpn: ${how}`
  return new CpnError(code, message, { cause, retryable, suggestions: [wayOut, ...suggestions] })
}

async function pullOne(
  store: ModelStore,
  manifest: ModelManifest,
  ctx: Context,
  onPulling: OnPulling,
): Promise<InstalledModel> {
  if (!isEmbedded(manifest)) {
    ctx.notice(`pulling ${manifest.name} (${formatBytes(manifest.bytes)}, licence: ${manifest.licence})`)
  }
  const onProgress = (received: number, total: number) => onPulling(manifest, received, total)
  return store.pull(manifest, { signal: ctx.signal, onProgress })
}

function describe(manifest: ModelManifest, installed: boolean): ModelEntry {
  const { name, version, family, task, description, bytes, licence, sha256 } = manifest
  const builtIn = isEmbedded(manifest)
  return { name, version, family, task, description, bytes, licence, sha256, installed, builtIn }
}
