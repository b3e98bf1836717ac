import type { Phase } from '../phase.ts'
import { startAgent } from '../start-agent.ts'

/** Starts the agent, or starts it again when its release or settings are new. */
export const start: Phase = {
  name: 'start',
  title: 'starting the agent',
  timeoutMs: 150_000,
  async run(provisioning, signal) {
    const { plan } = provisioning
    // A release put together anew has new files under the same digest.
    const restart = plan.configure || (plan.link && !plan.switch)
    provisioning.started = await startAgent(provisioning, restart, signal)
    return provisioning.started.alreadyRunning ? 'unchanged' : 'changed'
  },
}
