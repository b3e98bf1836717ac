import { CpnError } from '../common/errors.ts'
import type { InstalledModel } from '../models/store.ts'
import { quote } from '../transport/shell.ts'
import type { Transport } from '../transport/transport.ts'
import { manifestText } from './plan.ts'
import { plainUpload, textUpload, type Upload, uploadStream } from './upload-stream.ts'

export interface SendModelsOptions {
  /** Absolute path on the host of a release's bin/cpn-agent. */
  agentProgram: string
  /** Absolute path of remoteDir on the host. */
  dir: string
  /** Models whose bytes are sent. */
  models: InstalledModel[]
  /** Models whose manifests are sent; default: `models`. */
  manifests?: InstalledModel[]
  signal?: AbortSignal
  onProgress?: (sent: number, total: number) => void
}

/** Models and manifests for a stream. A manifest comes after its model: an agent never sees one without the other. */
export function modelUploads(models: InstalledModel[], manifests: InstalledModel[]): Upload[] {
  return [
    ...models.map(({ manifest, path }) => plainUpload('model', manifest.sha256, manifest.bytes, path)),
    ...manifests.map((model) => textUpload('model-manifest', model.manifest.sha256, manifestText(model))),
  ]
}

/**
 * Sends models and manifests in one stream; the host compares their digests before they get their names. Ends with
 * CPN_ERR_UPLOAD.
 */
export async function sendModels(transport: Transport, options: SendModelsOptions): Promise<void> {
  const { agentProgram, dir, models, manifests = models, signal, onProgress = () => {} } = options
  const stdin = uploadStream(modelUploads(models, manifests), {}, onProgress)
  const script = `${quote(agentProgram)} receive --home ${quote(dir)}`
  const { exitCode, stderr } = await transport.exec(script, { stdin, signal, timeoutMs: 3_600_000 })
  if (exitCode !== 0) throw modelsNotSent(transport.host, stderr.trim())
}

export function modelsNotSent(host: string, reason: string): CpnError {
  return new CpnError('CPN_ERR_UPLOAD', `models could not be put on the host: ${reason}`, {
    host,
    retryable: true,
    suggestions: ['Run it again.', 'Check the models here: `cpn models verify`.'],
  })
}
