import { chmod, copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256File } from '../common/digest.ts'
import { CpnError, reasonOf } from '../common/errors.ts'
import { packageRoot } from '../common/package-root.ts'
import type { ModelManifest } from '../protocol/model.ts'
import { liteDetector } from './catalogue/lite-detector.ts'
import { liteEmbedder } from './catalogue/lite-embedder.ts'

const embedded: readonly ModelManifest[] = [liteDetector, liteEmbedder]

/** Whether a model's bytes come with cpn: it takes neither a network nor a question to have it. */
export const isEmbedded = ({ sha256 }: Pick<ModelManifest, 'sha256'>): boolean =>
  embedded.some((model) => model.sha256 === sha256)

/** Where cpn itself has the bytes of an embedded model. */
export const embeddedFile = ({ name }: Pick<ModelManifest, 'name'>): string =>
  join(packageRoot, 'assets/models', `${name}.onnx`)

/** Throws CPN_ERR_MODEL_DOWNLOAD with the reason when cpn's own copy is not what it was. */
export async function copyEmbedded(manifest: ModelManifest, path: string): Promise<void> {
  const file = embeddedFile(manifest)
  const found = await sha256File(file).catch((cause: unknown) => {
    throw damaged(reasonOf(cause), cause)
  })
  if (found !== manifest.sha256) throw damaged(`it has the sha256 ${found.slice(0, 12)}…`)
  await copyFile(file, path)
  await chmod(path, 0o600)
}

function damaged(reason: string, cause?: unknown): CpnError {
  return new CpnError('CPN_ERR_MODEL_DOWNLOAD', `cpn's own copy cannot be used (${reason}): install cpn again`, {
    cause,
  })
}
