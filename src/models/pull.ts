import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256File } from '../common/digest.ts'
import { CpnError } from '../common/errors.ts'
import type { Logger } from '../common/logger.ts'
import type { ModelManifest } from '../protocol/model.ts'
import { type DownloadOptions, download } from './download.ts'
import { copyEmbedded, embeddedFile, isEmbedded } from './embedded.ts'
import { install, readManifest, writeManifest } from './folder.ts'
import { DownloadFault } from './http.ts'
import { inspectModel } from './inspect.ts'
import { copyFromFolder, mirrorUrls, parseMirror } from './mirror.ts'
import { abandonedPartials, claimPartial, type PartialFile, sizeOf } from './partial.ts'
import type { InstalledModel } from './store.ts'

export interface PullOptions extends DownloadOptions {
  /** Folder or address that is asked first. Default $CPN_MODEL_MIRROR. */
  mirror?: string
}

/** A model that has addresses, none of which could be reached or has it; `cause` says why of the last one. */
export class UnreachableModel extends CpnError {}

/** A place that may have the bytes; `fetch` completes the file at `path` or throws with the reason. */
interface Source {
  place: string
  fetch(path: string): Promise<void>
}

/**
 * Gets a model from the first place that has exactly its bytes. Throws CPN_ERR_MODEL_DOWNLOAD with every place and its
 * reason (an UnreachableModel where the network is to blame), and CPN_ERR_MODEL_INVALID for bytes that do not fit the
 * family of the manifest.
 */
export async function pullModel(
  dir: string,
  manifest: ModelManifest,
  logger: Logger,
  options: PullOptions,
): Promise<InstalledModel> {
  const present = await presentModel(dir, manifest)
  if (present) return present
  const partial = await claimPartial(dir, manifest.sha256)
  try {
    await fetchFromFirst(sources(manifest, options), manifest, partial, logger, options.signal)
    await inspectModel(partial.path, manifest)
    const installed = await install(dir, partial.path, manifest)
    await removeLeftovers(dir, manifest.sha256)
    return installed
  } finally {
    await giveBackOrRemove(partial)
  }
}

async function presentModel(dir: string, manifest: ModelManifest): Promise<InstalledModel | undefined> {
  const path = join(dir, manifest.sha256)
  if ((await sizeOf(path)) !== manifest.bytes || (await sha256File(path)) !== manifest.sha256) return undefined
  const known = await readManifest(dir, manifest.sha256)
  // A command that was killed between the bytes and their manifest leaves this to its successor.
  if (!known) {
    await inspectModel(path, manifest)
    await writeManifest(dir, manifest, join(dir, `${manifest.sha256}.${randomUUID()}.json.part`))
  }
  return { manifest: known ?? manifest, path }
}

function sources(manifest: ModelManifest, options: PullOptions): Source[] {
  const mirror = parseMirror(options.mirror ?? process.env.CPN_MODEL_MIRROR)
  const web = (url: string): Source => ({ place: url, fetch: (path) => download(url, path, manifest, options) })
  const folder = (place: string): Source => ({ place, fetch: (path) => copyFromFolder(place, manifest, path) })
  const first = mirror?.kind === 'folder' ? [folder(mirror.path)] : mirrorUrls(mirror?.base, manifest).map(web)
  const own = { place: embeddedFile(manifest), fetch: (path: string) => copyEmbedded(manifest, path) }
  return [...(isEmbedded(manifest) ? [own] : []), ...first, ...manifest.urls.map(web)]
}

async function fetchFromFirst(
  places: Source[],
  manifest: ModelManifest,
  partial: PartialFile,
  logger: Logger,
  signal?: AbortSignal,
): Promise<void> {
  const failures: CpnError[] = []
  const reasons: string[] = []
  for (const { place, fetch } of places) {
    signal?.throwIfAborted()
    try {
      return await fetch(partial.path)
    } catch (error) {
      if (!(error instanceof CpnError) || error.code !== 'CPN_ERR_MODEL_DOWNLOAD') throw error
      failures.push(error)
      reasons.push(`${place}: ${error.message}`)
      logger.info({ model: manifest.name, place, reason: error.message }, 'model not there')
    }
  }
  throw nowhere(manifest, reasons, failures)
}

function nowhere(manifest: ModelManifest, reasons: string[], failures: CpnError[]): CpnError {
  const { name, sha256, urls } = manifest
  const tried = [...reasons, ...(urls.length === 0 ? ['it has no public address'] : [])].map((reason) => `  ${reason}`)
  const unreachable = urls.length > 0 && !failures.some((failure) => failure instanceof DownloadFault)
  const Failure = unreachable ? UnreachableModel : CpnError
  return new Failure('CPN_ERR_MODEL_DOWNLOAD', [`the model ${name} could not be had:`, ...tried].join('\n'), {
    retryable: true,
    cause: failures.at(-1),
    suggestions: [
      ...(urls.length > 0
        ? ['Check the network (HTTPS_PROXY is honoured), then try again: what has come is kept.']
        : []),
      'Without a network, set CPN_MODEL_MIRROR to a folder or an address that has the file.',
      `Or bring the file here by other means (sha256 ${sha256}) and run \`cpn models add FILE\`.`,
    ],
  })
}

async function giveBackOrRemove(partial: PartialFile): Promise<void> {
  if ((await sizeOf(partial.path)) > 0) await partial.giveBack()
  else await rm(partial.path, { force: true })
}

async function removeLeftovers(dir: string, sha256: string): Promise<void> {
  for (const left of await abandonedPartials(dir, sha256)) await rm(left, { force: true })
}
