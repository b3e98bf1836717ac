import { nodePaths } from '../../protocol/paths.ts'
import type { Phase } from '../phase.ts'
import { sendModels } from '../send-models.ts'

/** Sends the models that the host lacks, where they were not sent with the release. */
export const uploadModels: Phase = {
  name: 'upload-models',
  title: 'sending models',
  timeoutMs: 3_600_000,
  settled({ plan }) {
    if (plan.link) return 'skipped'
    return plan.models.length + plan.manifests.length > 0 ? undefined : 'unchanged'
  },
  async run(provisioning, signal) {
    const { facts, plan, release, transport } = provisioning
    await sendModels(transport, {
      agentProgram: provisioning.path(`${nodePaths.release(release.digest)}/bin/cpn-agent`),
      dir: facts.dir,
      models: plan.models,
      manifests: plan.manifests,
      signal,
      onProgress: provisioning.progress,
    })
    return 'changed'
  },
}
