import { refuse, spaceFindings } from '../check-facts.ts'
import { holdingsScript, parseHoldings } from '../holdings.ts'
import type { Phase } from '../phase.ts'
import { neededBytes, planChanges } from '../plan.ts'
import type { Provisioning } from '../provisioning.ts'
import { nothingMissing, parseRequirementState, requirementScript } from '../requirement-state.ts'
import { isNothing } from '../requirements.ts'

/** Asks the host what it has and works out what is missing. */
export const compare: Phase = {
  name: 'compare',
  title: 'comparing with what is there',
  timeoutMs: 60_000,
  async run(provisioning, signal) {
    await compareNow(provisioning, signal)
    const { host, facts, plan, release } = provisioning
    refuse(host.name, spaceFindings(facts, neededBytes(plan, release)))
    return 'unchanged'
  },
}

/** Looks again: what another provisioning changed since counts as well. */
export async function compareNow(provisioning: Provisioning, signal: AbortSignal): Promise<void> {
  const { host, facts, release, options, requirements } = provisioning
  const { fleetId, models } = options
  const question = holdingsScript(facts.dir, fleetId, release.digest)
  const { stdout } = await provisioning.run(question, 'what is there could not be listed', { signal })
  provisioning.holdings = parseHoldings(stdout)
  provisioning.plan = planChanges({ host, fleetId, release, models }, provisioning.holdings)
  provisioning.missing = nothingMissing
  if (isNothing(requirements)) return
  const script = requirementScript(facts.dir, fleetId, requirements)
  const answer = await provisioning.run(script, 'the requirements could not be looked at', { signal })
  provisioning.missing = parseRequirementState(answer.stdout, requirements)
}
