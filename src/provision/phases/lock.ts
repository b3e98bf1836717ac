import { randomUUID } from 'node:crypto'
import { CpnError } from '../../common/errors.ts'
import { hostLocked, lockedExit, lockOwner, lockScript } from '../lock.ts'
import type { Phase } from '../phase.ts'
import { isEmpty } from '../plan.ts'
import { isMissing } from '../requirement-state.ts'
import { compareNow } from './compare.ts'

/** Keeps two provisionings from writing to one host at once. Nothing to write, no lock. */
export const lock: Phase = {
  name: 'lock',
  title: 'locking',
  timeoutMs: 60_000,
  settled: ({ plan, missing }) => (isEmpty(plan) && !isMissing(missing) ? 'skipped' : undefined),
  async run(provisioning, signal) {
    const { host, facts, transport } = provisioning
    const owner = lockOwner(randomUUID())
    const result = await transport.exec(lockScript(facts.dir, facts.ancestors, owner), { signal })
    if (result.exitCode === lockedExit) throw hostLocked(host.name, result.stdout.trim())
    if (result.exitCode !== 0) throw notTaken(host.name, facts.dir, result.stderr)
    provisioning.lock = owner.token
    await compareNow(provisioning, signal)
    return 'changed'
  },
}

function notTaken(host: string, dir: string, stderr: string): CpnError {
  return new CpnError('CPN_ERR_HOST_CHECK', `${dir} cannot be written: ${stderr.trim()}`, {
    host,
    suggestions: [
      /no space left/i.test(stderr)
        ? 'Free space there (inodes, where `df -i` shows none), or set remoteDir to a folder on another disk.'
        : 'Set remoteDir to a folder that the user can write.',
    ],
  })
}
