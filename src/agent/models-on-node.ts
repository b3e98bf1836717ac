import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { labelsSchema } from '../protocol/labels.ts'
import { type ModelRef, modelRefSchema } from '../protocol/model.ts'

/** The models whose bytes and manifest are in the folder; half-uploaded ones do not count. */
export function modelsOnNode(modelsDir: string): ModelRef[] {
  return list(modelsDir)
    .filter((file) => file.endsWith('.json'))
    .map((file) => readManifest(join(modelsDir, file)))
    .filter((model) => model !== undefined)
    .sort((a, b) => (a.name + a.version < b.name + b.version ? -1 : 1))
}

/** The labels in the manifest of these bytes; undefined where it has none, or no manifest is there. */
export function labelsOnNode(modelsDir: string, sha256: string): string[] | undefined {
  try {
    return labelsSchema.parse(JSON.parse(readFileSync(join(modelsDir, `${sha256}.json`), 'utf8')).labels)
  } catch {
    return undefined
  }
}

function readManifest(path: string): ModelRef | undefined {
  try {
    const model = modelRefSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
    const complete = model.sha256 === basename(path, '.json') && existsSync(path.slice(0, -'.json'.length))
    return complete ? model : undefined
  } catch {
    return undefined
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
