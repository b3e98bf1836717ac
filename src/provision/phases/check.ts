import { hostFindings, platformOf, refusal, refuse } from '../check-facts.ts'
import type { Phase } from '../phase.ts'

/** Refuses hosts that cannot become nodes, before anything is sent to them, and picks the release for the others. */
export const check: Phase = {
  name: 'check',
  title: 'checking that cpn can run there',
  timeoutMs: 900_000,
  async run(provisioning) {
    const { host, facts, options, requirements } = provisioning
    const platform = platformOf(facts)
    if (typeof platform === 'object') throw refusal(host.name, platform)
    refuse(host.name, hostFindings(facts, options.fleetId, requirements.apt))
    provisioning.release = await options.release(platform)
    return 'unchanged'
  },
}
