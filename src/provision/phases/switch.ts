import type { Phase } from '../phase.ts'
import { pointTo } from '../point-to.ts'

/** Makes the new release the current one, in one step; the one before it is kept until the new one is verified. */
export const switchRelease: Phase = {
  name: 'switch',
  title: 'switching to the new release',
  timeoutMs: 30_000,
  settled: ({ plan }) => (plan.switch ? undefined : 'unchanged'),
  async run(provisioning, signal) {
    const { holdings, options, release } = provisioning
    const current = holdings.fleets.get(options.fleetId)?.current ?? ''
    const before = holdings.releases.includes(current) ? current : ''
    await pointTo(provisioning, release.digest, before, signal)
    provisioning.replaced = before
    return 'changed'
  },
}
