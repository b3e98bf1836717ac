import { installRelease } from '../install-release.ts'
import type { Phase } from '../phase.ts'

/**
 * Sends what the host lacks of the release and puts the release together there. Models that it lacks travel in the same
 * stream.
 */
export const uploadRelease: Phase = {
  name: 'upload-release',
  title: 'sending the release',
  timeoutMs: 3_600_000,
  settled: ({ plan }) => (plan.link ? undefined : 'unchanged'),
  async run(provisioning, signal) {
    await installRelease(provisioning, signal)
    return 'changed'
  },
}
