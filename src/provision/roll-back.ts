import { nodePaths } from '../protocol/paths.ts'
import { auditWords } from './audit.ts'
import { pointTo } from './point-to.ts'
import type { Provisioning } from './provisioning.ts'
import { startAgent } from './start-agent.ts'

/**
 * Brings the release before back into use, after one that could not be verified; on a host that had none, the agent is
 * stopped and not made current. Resolves with what was done, for the person.
 */
export async function rollBack(provisioning: Provisioning, timeoutMs: number): Promise<string> {
  const signal = AbortSignal.timeout(timeoutMs)
  const before = provisioning.replaced
  provisioning.replaced = undefined
  if (before) return backTo(provisioning, before, signal)
  const { fleetId } = provisioning.options
  const marks = [nodePaths.stopped(fleetId), nodePaths.unverified(fleetId)].map((path) => provisioning.quoted(path))
  const current = provisioning.quoted(nodePaths.current(fleetId))
  const script = `${current}/bin/cpn-agent uninstall >/dev/null
rm -f ${[current, ...marks].join(' ')} || exit 1
${audit(provisioning, '')}`
  await provisioning.run(script, 'the new release could not be taken back', { signal })
  return 'the host has no release in use, as before'
}

async function backTo(provisioning: Provisioning, release: string, signal: AbortSignal): Promise<string> {
  const { fleetId } = provisioning.options
  await pointTo(provisioning, release, undefined, '', signal)
  await provisioning.run(`rm -f ${provisioning.quoted(nodePaths.previous(fleetId))}`, 'the link stayed', { signal })
  await startAgent(provisioning, false, signal)
  await provisioning.run(audit(provisioning, release), 'the audit line stayed away', { signal })
  return `rolled back to release ${release.slice(0, 12)}`
}

function audit({ facts, options, release }: Provisioning, to: string): string {
  return auditWords(facts.dir, options.fleetId, { event: 'rolled-back', from: release.digest, to })
}
