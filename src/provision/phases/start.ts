import { nodePaths } from '../../protocol/paths.ts'
import type { Phase } from '../phase.ts'
import type { Provisioning } from '../provisioning.ts'
import { startAgent } from '../start-agent.ts'
import { workingAgent } from '../working-agent.ts'

/**
 * Starts the agent, or starts it again when its release or settings are new. Where nothing was written an agent that
 * answers and is as it should be is left alone, without a word to the host.
 */
export const start: Phase = {
  name: 'start',
  title: 'starting the agent',
  timeoutMs: 150_000,
  async run(provisioning, signal) {
    const { plan, lock } = provisioning
    if (lock === undefined) provisioning.started = await workingAgent(provisioning, signal)
    provisioning.isWorking = provisioning.started !== undefined
    if (provisioning.isWorking) return 'unchanged'
    if (lock === undefined) await markUnfinished(provisioning, signal)
    // A release put together anew has new files under the same digest; what was cut off may have written settings.
    const restart = plan.configure || plan.prune.unfinished || (plan.link && !plan.switch)
    provisioning.started = await startAgent(provisioning, restart, signal)
    return provisioning.started.alreadyRunning ? 'unchanged' : 'changed'
  },
}

/** As the lock does where something is written: what is started now has to be verified, by a later run if not by this. */
async function markUnfinished(provisioning: Provisioning, signal: AbortSignal): Promise<void> {
  const mark = provisioning.quoted(nodePaths.unfinished(provisioning.options.fleetId))
  await provisioning.run(`: >${mark}`, `${mark} could not be written`, { signal })
}
