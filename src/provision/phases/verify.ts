import { sha256 } from '../../common/digest.ts'
import { CpnError } from '../../common/errors.ts'
import type { AgentClient } from '../../fleet/agent-client.ts'
import { whenFree } from '../../fleet/when-free.ts'
import type { ModelManifest } from '../../protocol/model.ts'
import { modelRefSchema } from '../../protocol/model.ts'
import type { Pipeline } from '../../protocol/pipeline.ts'
import type { Phase } from '../phase.ts'
import { verificationPictures } from '../verification-pictures.ts'
import { faultOf } from '../working-agent.ts'

const inferenceMs = 60_000

/** Has real pictures looked at through a connection of its own, as any later command will. */
export const verify: Phase = {
  name: 'verify',
  title: 'verifying with a real inference',
  timeoutMs: 240_000,
  settled: ({ isWorking }) => (isWorking ? 'skipped' : undefined),
  async run(provisioning, signal) {
    const { host, options } = provisioning
    const detector = options.models.find(({ manifest }) => manifest.task === 'detect-faces')?.manifest
    if (!detector) throw wrong(host.name, 'there is no model that detects faces')
    // Most runs change nothing and do without it.
    const { connectAgent } = await import('../../fleet/connect-agent.ts')
    await using transport = await options.connect(host, signal)
    await using agent = await connectAgent(transport, { host, fleetId: options.fleetId, signal })
    const fault = faultOf(await agent.card(signal), provisioning)
    if (fault !== undefined) throw wrong(host.name, fault)
    for (const picture of verificationPictures()) await infer(host.name, agent, picture, pipelineOf(detector), signal)
    return 'unchanged'
  },
}

async function infer(
  host: string,
  agent: AgentClient,
  { name, bytes }: { name: string; bytes: Buffer },
  pipeline: Pipeline,
  signal: AbortSignal,
): Promise<void> {
  const job = { id: sha256(bytes), bytes: bytes.length, read: async () => Buffer.from(bytes) }
  const request = { job, attempt: 1, epoch: 0, run: `verify-${Date.now()}`, pipeline, deadlineMs: inferenceMs, signal }
  try {
    const { answer, annotated } = await whenFree(() => agent.predict(request), signal)
    if (answer.job !== job.id || !annotated?.length) throw wrong(host, `its answer for a ${name} picture is not whole`)
  } catch (cause) {
    if (cause instanceof CpnError && cause.code === 'CPN_ERR_VERIFY') throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw wrong(host, `an inference on a ${name} picture failed: ${reason}`, cause)
  }
}

function pipelineOf(manifest: ModelManifest): Pipeline {
  const { score = 0.6, nms = 0.3 } = manifest.thresholds
  return {
    kind: 'faces',
    detector: { model: modelRefSchema.parse(manifest), scoreThreshold: score, nmsThreshold: nms },
    annotate: 'preview',
    maxPixels: 1_000_000,
  }
}

function wrong(host: string, reason: string, cause?: unknown): CpnError {
  return new CpnError('CPN_ERR_VERIFY', `the node does not work: ${reason}`, {
    host,
    cause,
    suggestions: [`Read its log: \`cpn logs ${host}\`.`, 'Check the models here: `cpn models verify`.'],
  })
}
