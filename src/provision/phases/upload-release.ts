import { installRelease } from '../install-release.ts'
import type { Phase, PhaseOutcome } from '../phase.ts'

/** Sends what the host lacks of the release and puts the release together there. */
export const uploadRelease: Phase = {
  name: 'upload-release',
  title: 'sending the release',
  timeoutMs: 3_600_000,
  async run(provisioning, signal): Promise<PhaseOutcome> {
    if (!provisioning.plan.link) return 'unchanged'
    await installRelease(provisioning, signal)
    return 'changed'
  },
}
