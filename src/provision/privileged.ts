import { PassThrough } from 'node:stream'
import { CpnError } from '../common/errors.ts'
import { withLifeline } from '../transport/lifeline.ts'
import { quote } from '../transport/shell.ts'
import type { ExecOptions, ExecResult } from '../transport/transport.ts'
import type { Provisioning } from './provisioning.ts'

/**
 * Runs a script as root: as it is, by sudo without a password, or by sudo with a password that is asked for and goes
 * through stdin only. A non-zero exit is a result, a refused password as well. Ends with CPN_ERR_REQUIREMENT where
 * neither is allowed; `what` says what it is for.
 */
export async function execAsRoot(
  provisioning: Pick<Provisioning, 'facts' | 'host' | 'options' | 'transport'>,
  script: string,
  what: string,
  options: Pick<ExecOptions, 'signal' | 'timeoutMs'>,
): Promise<ExecResult> {
  const { facts, host, transport, options: allowed } = provisioning
  if (facts.sudo === 'root') return transport.exec(script, options)
  if (!allowed.sudo) throw notAllowed(host.name, what)
  if (facts.sudo === 'none') throw noSudo(host.name, what)
  if (facts.sudo === 'passwordless') return execUnder('sudo -n', '', script, provisioning, options)
  const password = await allowed.prompter.secret(`Password of ${facts.user} on ${host.name}, for sudo: `)
  const line = `${password}\n`
  // After a wrong password sudo waits for another one, as long as its stdin is open.
  const stdin = Buffer.from(line)
  const refused = await transport.exec(`${sudoWithPassword} /bin/sh -c :`, { ...options, stdin })
  return refused.exitCode === 0 ? execUnder(sudoWithPassword, line, script, provisioning, options) : refused
}

const sudoWithPassword = "sudo -S -k -p ''"

// The user cannot end root's processes. So stdin stays open until the exit, and its end makes root end them.
async function execUnder(
  sudo: string,
  input: string,
  script: string,
  { transport }: Pick<Provisioning, 'transport'>,
  options: Pick<ExecOptions, 'signal' | 'timeoutMs'>,
): Promise<ExecResult> {
  const stdin = new PassThrough()
  stdin.write(input)
  try {
    return await transport.exec(`${sudo} /bin/sh -c ${quote(withLifeline(script))}`, { ...options, stdin })
  } finally {
    stdin.end()
  }
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
