import { askRegistration, type Registration } from '../fleet/registration.ts'
import type { NodeCard } from '../protocol/messages.ts'
import { nodePaths } from '../protocol/paths.ts'
import type { Provisioning, Started } from './provisioning.ts'

const answerMs = 5_000

/**
 * How the agent is kept, when it answers through the tunnel, is ready, kept, and of the right release and models.
 * Undefined otherwise, or when only the host can tell: then `cpn-agent start` has to see to it.
 */
export async function workingAgent(provisioning: Provisioning, signal: AbortSignal): Promise<Started | undefined> {
  const registered = await register(provisioning, AbortSignal.any([signal, AbortSignal.timeout(answerMs)])).catch(
    () => undefined,
  )
  signal.throwIfAborted()
  if (!registered) return undefined
  const { card, heartbeat } = registered
  if (heartbeat.state !== 'ready' || faultOf(card, provisioning) !== undefined) return undefined
  const { supervisor } = card.isolation
  if (supervisor === 'keeper') return { supervisor, linger: null, alreadyRunning: true }
  if (supervisor === 'systemd-user' && provisioning.facts.lingers)
    return { supervisor, linger: true, alreadyRunning: true }
  return undefined
}

/** What is wrong with an agent by its card, in words; undefined when nothing is. */
export function faultOf(card: NodeCard, { release, options }: Provisioning): string | undefined {
  if (card.release !== release.digest) {
    return `the agent runs release ${card.release.slice(0, 12)}, not ${release.digest.slice(0, 12)}`
  }
  const missing = options.models.find(({ manifest }) => !card.models.some(({ sha256 }) => sha256 === manifest.sha256))
  return missing && `the agent does not see the model ${missing.manifest.name}`
}

async function register(provisioning: Provisioning, signal: AbortSignal): Promise<Registration> {
  const { options, transport } = provisioning
  const { fleetId } = options
  const bridge = `${provisioning.quoted(nodePaths.current(fleetId))}/bin/cpn-agent bridge`
  const socket = await transport.openAgent(provisioning.path(nodePaths.socket(fleetId)), bridge, signal)
  return askRegistration(socket, signal)
}
