import { mkdir } from 'node:fs/promises'
import { CpnError, reasonOf, systemErrorCode } from '../common/errors.ts'
import type { Logger } from '../common/logger.ts'
import type { ModelManifest } from '../protocol/model.ts'
import { type AddDetails, addModel } from './add.ts'
import { installedIn } from './folder.ts'
import { type PullOptions, pullModel } from './pull.ts'
import { type VerifyResult, verifyStore } from './verify.ts'

export { catalogue } from './catalogue/index.ts'

export interface InstalledModel {
  manifest: ModelManifest
  /** Absolute path of the model's bytes. */
  path: string
}

/**
 * The models of an inventory, in one folder: <sha256> has the bytes and <sha256>.json the manifest, as on nodes. What
 * has no manifest is never used. Several processes may use one folder.
 */
export interface ModelStore {
  /** Absolute path of the folder; it may not exist yet. */
  readonly dir: string
  /** Models that are complete, by size; the digest is checked by `verify` and by whoever loads one. */
  list(): Promise<InstalledModel[]>
  /** `name` is the newest version of a model, `name@version` that one. */
  find(name: string): Promise<InstalledModel | undefined>
  /**
   * Gets a model from CPN_MODEL_MIRROR or its addresses; does nothing when the right bytes are there. Rejects as pullModel does,
   * and with CPN_ERR_STATE_DIR when it cannot be written.
   */
  pull(manifest: ModelManifest, options?: PullOptions): Promise<InstalledModel>
  /** Takes a file in. Without details it has to be a model of the catalogue. */
  add(file: string, details?: AddDetails): Promise<InstalledModel>
  /** Looks at every file: digest, manifest, family. */
  verify(): Promise<VerifyResult[]>
}

export interface ModelStoreOptions {
  dir: string
  logger: Logger
}

export function openModelStore({ dir, logger }: ModelStoreOptions): ModelStore {
  const list = () => installedIn(dir)
  return {
    dir,
    list,
    find: async (name) => findByName(await list(), name),
    pull: (manifest, options = {}) => writing(dir, () => pullModel(dir, manifest, logger, options)),
    add: (file, details) => writing(dir, async () => addModel(dir, await list(), file, details)),
    verify: () => verifyStore(dir),
  }
}

/** Work that writes to the folder, which is made. Rejects with CPN_ERR_STATE_DIR where the disk is to blame. */
async function writing<T>(dir: string, work: () => Promise<T>): Promise<T> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 })
    return await work()
  } catch (error) {
    // Node.js's own complaints (ERR_…) are no errors of a disk.
    if (error instanceof CpnError || !/^E[A-Z]+$/.test(systemErrorCode(error) ?? '')) throw error
    throw new CpnError('CPN_ERR_STATE_DIR', `models cannot be kept in ${dir}: ${reasonOf(error)}`, {
      cause: error,
      suggestions: ['Make room there, or look at its permissions; then the same command again.'],
    })
  }
}

/** The newest version called so, or the one that `name@version` says. */
export function findByName<T extends { manifest: ModelManifest }>(models: T[], name: string): T | undefined {
  const at = name.indexOf('@')
  const [wanted, version] = at < 0 ? [name] : [name.slice(0, at), name.slice(at + 1)]
  return models
    .filter(({ manifest }) => manifest.name === wanted && (version === undefined || manifest.version === version))
    .sort((a, b) => b.manifest.version.localeCompare(a.manifest.version, 'en', { numeric: true }))[0]
}
