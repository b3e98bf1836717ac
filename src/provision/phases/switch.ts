import type { Phase } from '../phase.ts'
import { pointTo } from '../point-to.ts'

/** Makes the new release the current one, in one step; the one before it is kept until the new one is verified. */
export const switchRelease: Phase = {
  name: 'switch',
  title: 'switching to the new release',
  timeoutMs: 30_000,
  async run(provisioning, signal) {
    const { plan, holdings, options, release } = provisioning
    if (!plan.switch) return 'unchanged'
    const before = holdings.fleets.get(options.fleetId)?.current ?? ''
    await pointTo(provisioning, release.digest, before, signal)
    provisioning.replaced = holdings.releases.includes(before) ? before : ''
    return 'changed'
  },
}
