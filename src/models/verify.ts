import { join } from 'node:path'
import { sha256File } from '../common/digest.ts'
import { CpnError } from '../common/errors.ts'
import { namesIn, readManifest } from './folder.ts'
import { inspectModel } from './inspect.ts'

/**
 * ok: bytes, manifest and family agree. changed: other bytes than the digest says. missing: a manifest without bytes.
 * unlisted: a file without a manifest, which is never used. invalid: a manifest that does not hold, or a model that
 * does not fit its family. partial: an unfinished download, which a later one goes on with.
 */
export type ModelState = 'ok' | 'changed' | 'missing' | 'unlisted' | 'invalid' | 'partial'

export interface VerifyResult {
  /** Name in the folder. */
  file: string
  /** name@version, where a manifest says it. */
  model?: string
  state: ModelState
  /** What is wrong, in words; empty when nothing is. */
  detail: string
}

/** Looks at every file of a folder of models. Throws only when the folder cannot be read. */
export async function verifyStore(dir: string): Promise<VerifyResult[]> {
  const names = await namesIn(dir)
  const digests = names.filter((name) => /^[0-9a-f]{64}\.json$/.test(name)).map((name) => name.slice(0, 64))
  const results: VerifyResult[] = []
  for (const sha256 of digests) results.push(await verifyListed(dir, sha256, names.includes(sha256)))
  const listed = new Set(digests.flatMap((sha256) => [sha256, `${sha256}.json`]))
  return [...results, ...names.filter((name) => !listed.has(name)).map(describeOther)]
}

function describeOther(file: string): VerifyResult {
  if (file.endsWith('.part')) return { file, state: 'partial', detail: 'an unfinished download' }
  return { file, state: 'unlisted', detail: 'no manifest lists its digest: it is never used' }
}

async function verifyListed(dir: string, sha256: string, exists: boolean): Promise<VerifyResult> {
  const manifest = await readManifest(dir, sha256)
  if (!manifest) return { file: `${sha256}.json`, state: 'invalid', detail: 'the manifest is damaged' }
  const result = (state: ModelState, detail = ''): VerifyResult => {
    return { file: sha256, model: `${manifest.name}@${manifest.version}`, state, detail }
  }
  if (!exists) return result('missing', 'the bytes are gone')
  try {
    const found = await sha256File(join(dir, sha256))
    if (found !== sha256) return result('changed', `the bytes have the sha256 ${found.slice(0, 12)}…`)
    await inspectModel(join(dir, sha256), manifest)
    return result('ok')
  } catch (error) {
    return result('invalid', error instanceof CpnError ? error.message : String(error))
  }
}
