import type { Phase } from '../phase.ts'
import { pointTo } from '../point-to.ts'

/** Makes the new release the current one, in one step; the one before it is kept until the new one is verified. */
export const switchRelease: Phase = {
  name: 'switch',
  title: 'switching to the new release',
  timeoutMs: 30_000,
  settled: ({ plan }) => (plan.switch || plan.prune.unfinished ? undefined : 'unchanged'),
  async run(provisioning, signal) {
    const { holdings, options, plan, release } = provisioning
    const { current = '', previous = '', unverified = false } = holdings.fleets.get(options.fleetId) ?? {}
    // A run that was cut off leaves `previous`: what is current was never verified, so that is no way back.
    const candidates = unverified ? [] : [previous, current]
    const before = candidates.find((digest) => holdings.releases.has(digest)) ?? ''
    if (!plan.switch) {
      provisioning.replaced = before === release.digest ? undefined : before
      return 'unchanged'
    }
    await pointTo(provisioning, release.digest, before, signal)
    provisioning.replaced = before
    return 'changed'
  },
}
