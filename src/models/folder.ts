import { open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CpnError, systemErrorCode } from '../common/errors.ts'
import { type ModelManifest, modelManifestSchema } from '../protocol/model.ts'
import type { InstalledModel } from './store.ts'

/** Names in the folder of models; none while there is no folder. */
export async function namesIn(dir: string): Promise<string[]> {
  try {
    return (await readdir(dir)).sort()
  } catch (cause) {
    if (systemErrorCode(cause) === 'ENOENT') return []
    throw new CpnError('CPN_ERR_STATE_DIR', `${dir} cannot be read (${systemErrorCode(cause) ?? cause})`, {
      cause,
      suggestions: ['Check who owns the folder and its permissions.'],
    })
  }
}

/** Every model whose manifest holds and whose bytes are there in full, by name. */
export async function installedIn(dir: string): Promise<InstalledModel[]> {
  const digests = (await namesIn(dir))
    .filter((name) => /^[0-9a-f]{64}\.json$/.test(name))
    .map((name) => name.slice(0, 64))
  const models = await Promise.all(digests.map((sha256) => readInstalled(dir, sha256)))
  return models
    .filter((model) => model !== undefined)
    .sort((a, b) => a.manifest.name.localeCompare(b.manifest.name, 'en'))
}

async function readInstalled(dir: string, sha256: string): Promise<InstalledModel | undefined> {
  const path = join(dir, sha256)
  const manifest = await readManifest(dir, sha256)
  const found = await stat(path).catch(() => undefined)
  return manifest && found?.isFile() && found.size === manifest.bytes ? { manifest, path } : undefined
}

/** The manifest of these bytes; undefined when there is none that holds. */
export async function readManifest(dir: string, sha256: string): Promise<ModelManifest | undefined> {
  try {
    const parsed = modelManifestSchema.safeParse(JSON.parse(await readFile(join(dir, `${sha256}.json`), 'utf8')))
    return parsed.success && parsed.data.sha256 === sha256 ? parsed.data : undefined
  } catch {
    return undefined
  }
}

/** Gives a verified temporary file its name, then its manifest, which makes it count. Last writer wins, harmlessly. */
export async function install(dir: string, temporary: string, manifest: ModelManifest): Promise<InstalledModel> {
  const path = join(dir, manifest.sha256)
  await sync(temporary)
  await rename(temporary, path)
  await writeManifest(dir, manifest, `${temporary}.json`)
  return { manifest, path }
}

/** Writes a manifest whole or not at all, through a temporary file of the given name. */
export async function writeManifest(dir: string, manifest: ModelManifest, temporary: string): Promise<void> {
  try {
    await writeFile(temporary, `${JSON.stringify(manifest, null, 2)}\n`, { flush: true })
    await rename(temporary, join(dir, `${manifest.sha256}.json`))
  } finally {
    await rm(temporary, { force: true })
  }
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
