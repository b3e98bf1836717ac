import { refuse, spaceFindings } from '../check-facts.ts'
import type { Phase } from '../phase.ts'
import { neededBytes, planChanges } from '../plan.ts'
import type { Provisioning } from '../provisioning.ts'

/** Works out what is missing. */
export const compare: Phase = {
  name: 'compare',
  title: 'comparing with what is there',
  timeoutMs: 60_000,
  async run(provisioning) {
    planAnew(provisioning)
    const { host, facts, plan, release } = provisioning
    refuse(host.name, spaceFindings(facts, neededBytes(plan, release)))
    return 'unchanged'
  },
}

/** Plans from what the host said last. */
export function planAnew(provisioning: Provisioning): void {
  const { host, holdings, release, options } = provisioning
  const { fleetId, models } = options
  provisioning.plan = planChanges({ host, fleetId, release, models }, holdings)
}
