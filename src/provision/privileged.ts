import { CpnError } from '../common/errors.ts'
import { quote } from '../transport/shell.ts'
import type { Provisioning } from './provisioning.ts'

/** A script that root runs, and what its stdin has to get first. */
export interface Privileged {
  script: string
  stdin?: Buffer
}

/**
 * The way to root on a host: as it is, by sudo without a password, or by sudo with a password that is asked for and
 * goes through stdin only. Ends with CPN_ERR_REQUIREMENT where neither is allowed; `what` says what it is for.
 */
export async function asRoot(provisioning: Provisioning, script: string, what: string): Promise<Privileged> {
  const { facts, host, options } = provisioning
  if (facts.sudo === 'root') return { script }
  if (!options.sudo) throw notAllowed(host.name, what)
  if (facts.sudo === 'none') throw noSudo(host.name, what)
  const command = `/bin/sh -c ${quote(script)}`
  if (facts.sudo === 'passwordless') return { script: `sudo -n ${command}` }
  const password = await options.prompter.secret(`Password of ${facts.user} on ${host.name}, for sudo: `)
  return { script: `sudo -S -k -p '' ${command}`, stdin: Buffer.from(`${password}\n`) }
}

function notAllowed(host: string, what: string): CpnError {
  return new CpnError('CPN_ERR_REQUIREMENT', `root is needed to ${what}`, {
    host,
    suggestions: ['Run it again with --sudo.', `Or ${what} there yourself.`],
  })
}

function noSudo(host: string, what: string): CpnError {
  return new CpnError('CPN_ERR_REQUIREMENT', `root is needed to ${what}, and the host has no sudo`, {
    host,
    suggestions: [`Log in as root and ${what} there.`],
  })
}
