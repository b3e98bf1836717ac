import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SshdHost } from '../../test/helpers/sshd.ts'
import { firstLine } from '../machine.ts'

/** A program that runs a command on many hosts at once over OpenSSH. */
export interface FanOut {
  what: string
  /** False where it is not installed. */
  isThere: boolean
  /** Runs `true` on all hosts; rejects unless it ended with 0 on each of them. */
  run(): Promise<void>
}

/** The programs, told about the hosts by files in a folder: keys and host keys are known, nothing is asked. */
export function fanOuts(hosts: SshdHost[], folder: string): FanOut[] {
  const config = writeConfig(hosts, folder)
  const names = hosts.map(({ name }) => name)
  const list = join(folder, 'hosts')
  writeFileSync(list, names.map((name) => `${name}\n`).join(''))
  const atOnce = `${hosts.length}`
  const asMany = (what: string, args: string[], env = {}): FanOut => ({
    what,
    isThere: firstLine(args[0]!, ['--version']) !== 'missing',
    run: () => run(args, env),
  })
  return [
    asMany('parallel-ssh', ['parallel-ssh', '-h', list, '-p', atOnce, '-x', `-F ${config}`, 'true']),
    asMany(`xargs -P ${atOnce} ssh`, [
      'xargs',
      '-a',
      list,
      '-P',
      atOnce,
      '-I',
      '{}',
      'ssh',
      '-F',
      config,
      '{}',
      'true',
    ]),
    asMany('clush', ['clush', '-S', '-f', atOnce, '-w', names.join(','), '-o', `-F ${config}`, 'true']),
    // Connections that stay open would make the second round a warm one.
    asMany('ansible -m raw', ['ansible', 'all', '-i', list, '-f', atOnce, '-m', 'raw', '-a', 'true'], {
      ANSIBLE_SSH_ARGS: `-F ${config}`,
    }),
  ]
}

/** Each host by its inventory name, the user's own configuration out of sight. */
function writeConfig(hosts: SshdHost[], folder: string): string {
  const knownHosts = join(folder, 'ssh_known_hosts')
  writeFileSync(knownHosts, hosts.map((host) => `${host.knownHostsLine()}\n`).join(''))
  const entries = hosts.map(({ name, address, port, user, identityFile }) => {
    const lines = [
      `HostName ${address}`,
      `HostKeyAlias ${name}`,
      `Port ${port}`,
      `User ${user}`,
      `IdentityFile ${identityFile}`,
    ]
    return [`Host ${name}`, ...lines].join('\n')
  })
  const all = ['IdentitiesOnly yes', 'BatchMode yes', 'StrictHostKeyChecking yes', `UserKnownHostsFile ${knownHosts}`]
  const config = join(folder, 'ssh_config')
  writeFileSync(config, [...entries, ['Host *', ...all].join('\n'), ''].join('\n'))
  return config
}

async function run([program = '', ...args]: string[], env: NodeJS.ProcessEnv): Promise<void> {
  const options = { env: { ...process.env, ...env, SSH_AUTH_SOCK: '' } }
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${said}`)
}
