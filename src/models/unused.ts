import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { installedIn, namesIn } from './folder.ts'

export interface UnusedModel {
  /** name@version, or the name of a file that is no model. */
  name: string
  /** Absolute. */
  paths: string[]
  bytes: number
}

/**
 * Models of which a newer version is here, and files that no model is: what an interrupted download left, and bytes without
 * a manifest.
 * @param used sha256 of models that are needed all the same
 * @param before milliseconds since 1970: what is younger stays
 */
export async function unusedModels(dir: string, used: ReadonlySet<string>, before: number): Promise<UnusedModel[]> {
  const models = await installedIn(dir)
  const newest = new Map<string, string>()
  for (const { manifest } of models) {
    const known = newest.get(manifest.name)
    if (known === undefined || compareVersions(manifest.version, known) > 0) newest.set(manifest.name, manifest.version)
  }
  const outdated = models
    .filter(({ manifest }) => manifest.version !== newest.get(manifest.name) && !used.has(manifest.sha256))
    .map(({ manifest, path }) => ({ name: `${manifest.name}@${manifest.version}`, paths: [path, `${path}.json`] }))
  const known = new Set(models.flatMap(({ manifest }) => [manifest.sha256, `${manifest.sha256}.json`]))
  const others = (await namesIn(dir))
    .filter((name) => !known.has(name))
    .map((name) => ({ name, paths: [join(dir, name)] }))
  const found = await Promise.all([...outdated, ...others].map(withSize))
  return found.filter(({ modified }) => modified < before).map(({ modified: _, ...model }) => model)
}

const compareVersions = (a: string, b: string) => a.localeCompare(b, 'en', { numeric: true })

async function withSize(model: { name: string; paths: string[] }): Promise<UnusedModel & { modified: number }> {
  const files = await Promise.all(model.paths.map((path) => stat(path).catch(() => undefined)))
  return {
    ...model,
    bytes: files.reduce((sum, file) => sum + (file?.size ?? 0), 0),
    modified: Math.max(...files.map((file) => file?.mtimeMs ?? 0)),
  }
}
