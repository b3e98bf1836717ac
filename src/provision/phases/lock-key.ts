import { CpnError } from '../../common/errors.ts'
import { agentError } from '../../fleet/connect-agent.ts'
import { nodePaths } from '../../protocol/paths.ts'
import type { OwnKey } from '../../transport/own-key.ts'
import { quote } from '../../transport/shell.ts'
import type { Phase } from '../phase.ts'
import type { Provisioning } from '../provisioning.ts'

/**
 * Restricts the key that commands log in with to the agent's program, or takes that back. It counts once a login with
 * the key has shown it; otherwise the line is as it was before.
 */
export const lockKey: Phase = {
  name: 'lock-key',
  title: 'setting what the key may do',
  timeoutMs: 120_000,
  settled: ({ options }) => (options.keyLock ? undefined : 'skipped'),
  async run(provisioning, signal) {
    const { lock, keyOf } = provisioning.options.keyLock!
    // The node is verified: what fails here is no reason to go back to the release before.
    provisioning.replaced = undefined
    const key = await keyOf(provisioning.host)
    const changed = await setLock(provisioning, key, lock, signal)
    try {
      await verify(provisioning, key, lock, signal)
    } catch (error) {
      if (changed) await setLock(provisioning, key, !lock, AbortSignal.timeout(30_000))
      throw error
    }
    return changed ? 'changed' : 'unchanged'
  },
}

/** True when the line in authorized_keys was changed. */
async function setLock(p: Provisioning, { publicKey }: OwnKey, lock: boolean, signal: AbortSignal): Promise<boolean> {
  const program = p.quoted(`${nodePaths.current(p.options.fleetId)}/bin/cpn-agent`)
  const script = `${program} ${lock ? 'lock-key' : 'unlock-key'} ${quote(publicKey)}`
  const { exitCode, stdout, stderr } = await p.transport.exec(script, { signal })
  if (exitCode === 0) return /"changed":true/.test(stdout)
  throw agentError(stderr, p.host.name)
}

/** A locked key runs no command and reaches the agent; one that is not locked runs commands. */
async function verify(p: Provisioning, key: OwnKey, lock: boolean, signal: AbortSignal): Promise<void> {
  const host = { ...p.host, identityFile: key.path }
  const { connectAgent } = await import('../../fleet/connect-agent.ts')
  await using transport = await p.options.connect(host, signal)
  const ran = await transport.exec('true', { signal }).then(
    () => true,
    (error: unknown) => {
      if (error instanceof CpnError && error.code === 'CPN_ERR_KEY_LOCKED') return false
      throw error
    },
  )
  if (ran && lock) throw failed(p.host.name, key, 'the server lets it run commands all the same')
  if (!ran && !lock) throw failed(p.host.name, key, 'it is locked somewhere else, too')
  await using agent = await connectAgent(transport, { host, fleetId: p.options.fleetId, signal })
  await agent.card(signal)
}

function failed(host: string, { path }: OwnKey, reason: string): CpnError {
  return new CpnError('CPN_ERR_PROVISION_FAILED', `what the key ${path} may do was not changed: ${reason}`, {
    host,
    suggestions: ['Look at ~/.ssh/authorized_keys there, and at AuthorizedKeysFile in sshd_config.'],
  })
}
