import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Prompter } from '../../src/common/context.ts'
import type { ErrorCode } from '../../src/common/error-codes.ts'
import { CpnError } from '../../src/common/errors.ts'
import { createLogger } from '../../src/common/logger.ts'
import type { Host } from '../../src/inventory/inventory.ts'
import { type Connector, createConnector } from '../../src/transport/connector.ts'
import type { ScanOptions } from '../../src/transport/host-keys.ts'
import type { SshdHost } from '../helpers/sshd.ts'

/** An inventory host for a test server. */
export function hostOf(sshd: SshdHost, overrides: Partial<Host> = {}): Host {
  const { name, address, port, user, identityFile } = sshd
  return plainHost({ name, address, port, user, identityFile, ...overrides })
}

export function plainHost(host: Partial<Host> & { name: string }): Host {
  return {
    address: host.name,
    transport: 'ssh',
    tags: [],
    provision: true,
    remoteDir: '~/.cpn',
    workers: 'auto',
    nice: 10,
    ...host,
  }
}

/** Without a terminal. */
export const nobody: Prompter = {
  interactive: false,
  secret: async () => Promise.reject(new Error('nobody is there to be asked')),
  confirm: async () => false,
}

/** A person who gives these answers, in this order. */
export function person(...answers: string[]): Prompter & { questions: string[] } {
  const questions: string[] = []
  const secret = async (question: string): Promise<string> => {
    questions.push(question)
    const answer = answers.shift()
    if (answer === undefined) throw new CpnError('CPN_ERR_DECLINED', `no answer to ${question}`)
    return answer
  }
  return { interactive: true, questions, secret, confirm: async () => true }
}

/** A master of its own: nothing of the user's ~/.ssh is seen, and known_hosts files are its own. */
export class Master implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'cpn-master-'))
  /** .cpn/known_hosts of the inventory. */
  readonly knownHostsFile = join(this.folder, 'known_hosts')
  /** The user's own. */
  readonly userKnownHostsFile = join(this.folder, 'user_known_hosts')
  readonly #sshConfigBefore = process.env.CPN_SSH_CONFIG

  constructor(sshConfig: string[] = []) {
    const file = join(this.folder, 'ssh_config')
    process.env.CPN_SSH_CONFIG = file
    const defaults = [
      'Host *',
      'IdentityFile none',
      'IdentityAgent none',
      `UserKnownHostsFile ${this.userKnownHostsFile}`,
    ]
    writeFileSync(file, [...sshConfig, ...defaults, 'GlobalKnownHostsFile none', ''].join('\n'))
  }

  /** Records the keys of these hosts as `hosts add` does. */
  trust(...hosts: SshdHost[]): this {
    writeFileSync(this.knownHostsFile, hosts.map((host) => `${host.knownHostsLine()}\n`).join(''))
    return this
  }

  options(hosts: Host[], prompter: Prompter = nobody): ScanOptions {
    return { hosts, knownHostsFile: this.knownHostsFile, prompter, logger: createLogger() }
  }

  connector(hosts: Host[], prompter: Prompter = nobody): Connector {
    return createConnector(this.options(hosts, prompter))
  }

  [Symbol.dispose](): void {
    if (this.#sshConfigBefore === undefined) delete process.env.CPN_SSH_CONFIG
    else process.env.CPN_SSH_CONFIG = this.#sshConfigBefore
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** For assert.rejects: a CpnError with this code, about this host, that says what to do. */
export function fails(code: ErrorCode, host: string, says = /./): (error: unknown) => true {
  return (error) => {
    if (!(error instanceof CpnError) || error.code !== code || error.host !== host || !says.test(error.message))
      throw error
    if (error.suggestions.length === 0) throw new Error(`${code} does not say what to do`)
    return true
  }
}

/** Resolves once `check` holds; fails after ten seconds. */
export async function eventually(check: () => boolean, what: string): Promise<void> {
  for (const end = performance.now() + 10_000; !check(); await new Promise((resolve) => setTimeout(resolve, 10))) {
    if (performance.now() > end) throw new Error(`waited in vain for: ${what}`)
  }
}
