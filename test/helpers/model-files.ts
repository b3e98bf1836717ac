import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger } from '../../src/common/logger.ts'
import { type ModelStore, openModelStore } from '../../src/models/store.ts'

/** A folder that is gone when its owner is, and a model store in it. */
export interface StoreFolder extends AsyncDisposable {
  folder: string
  store: ModelStore
}

export async function storeFolder(): Promise<StoreFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'cpn-models-'))
  const store = openModelStore({ dir: join(folder, 'models'), logger: createLogger() })
  return { folder, store, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}
