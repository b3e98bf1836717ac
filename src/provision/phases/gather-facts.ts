import { CpnError } from '../../common/errors.ts'
import { parseFacts } from '../facts.ts'
import { factsScript } from '../facts-script.ts'
import type { Phase } from '../phase.ts'
import { debs } from '../requirements.ts'
import { noteWhatIsThere, whatIsThereWords } from '../what-is-there.ts'

/** Learns in one round trip what kind of machine this is and what it has of cpn. */
export const gatherFacts: Phase = {
  name: 'gather-facts',
  title: 'looking at the host',
  timeoutMs: 60_000,
  async run(provisioning, signal) {
    const { host, requirements, transport } = provisioning
    const installs = requirements.apt.length > 0 || debs(requirements).length > 0
    const question = `${factsScript(host.remoteDir, installs)}${whatIsThereWords(provisioning)}`
    const { stdout, stderr } = await transport.exec(question, { signal })
    const facts = parseFacts(stdout)
    if (!facts) throw notPosix(host.name, stderr)
    provisioning.facts = facts
    noteWhatIsThere(provisioning, stdout)
    return 'unchanged'
  },
}

/** The error of a host whose login runs no script. */
export function notPosix(host: string, stderr: string): CpnError {
  const said = stderr.trim().split('\n').at(-1)
  return new CpnError('CPN_ERR_HOST_CHECK', `the host does not run a POSIX shell script${said ? `: ${said}` : ''}`, {
    host,
    suggestions: ['Give the user a login shell that can start /bin/sh, and a home folder.'],
  })
}
