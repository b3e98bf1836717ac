import type { Phase } from '../phase.ts'
import { pointTo } from '../point-to.ts'
import { watchWords } from '../take-back.ts'

/** Makes the new release the current one, in one step; the one before it is kept until the new one is verified. */
export const switchRelease: Phase = {
  name: 'switch',
  title: 'switching to the new release',
  timeoutMs: 30_000,
  settled: ({ plan }) => (plan.switch || plan.prune.unfinished ? undefined : 'unchanged'),
  async run(provisioning, signal) {
    const { facts, holdings, lock, plan, release } = provisioning
    const { fleetId } = provisioning.options
    const { current = '', previous = '', unverified = false } = holdings.fleets.get(fleetId) ?? {}
    // A run that was cut off leaves `previous`: what is current was never verified, so that is no way back.
    const candidates = unverified ? [] : [previous, current]
    const before = candidates.find((digest) => holdings.releases.has(digest)) ?? ''
    // Without a lock nothing was switched, now or before.
    const watch = lock && watchWords({ dir: facts.dir, fleetId, token: lock.token, release: release.digest })
    if (!plan.switch) {
      provisioning.replaced = before === release.digest ? undefined : before
      if (provisioning.replaced !== undefined && watch) await provisioning.run(watch, 'nobody watches', { signal })
      return 'unchanged'
    }
    // From here on the host goes back by itself when we vanish.
    provisioning.replaced = before
    await pointTo(provisioning, release.digest, before, watch ?? '', signal)
    return 'changed'
  },
}
