import { execFile } from 'node:child_process'
import { homedir, userInfo } from 'node:os'
import { join } from 'node:path'
import { CpnError, systemErrorCode } from '../../common/errors.ts'
import { deadline } from './deadlines.ts'
import { Slots } from './slots.ts'

/** What ~/.ssh/config says about one destination. */
export interface SshConfig {
  hostname: string
  port: number
  user: string
  identityFiles: string[]
  identitiesOnly: boolean
  /** Path of ssh-agent's socket. */
  sshAgent: string | undefined
  /** Outermost hop first. */
  proxyJump: string[]
  hasProxyCommand: boolean
  knownHostsFiles: string[]
  hostKeyAlias: string | undefined
  connectTimeoutMs: number | undefined
  /** 4, 6, or 0 for both. */
  family: 0 | 4 | 6
}

export interface Destination {
  /** Address or alias. */
  address: string
  user?: string
  port?: number
  /** Another file than ~/.ssh/config and $CPN_SSH_CONFIG; without an ssh program this ends with CPN_ERR_SSH_CONFIG. */
  configFile?: string
}

// Each one is a process of its own.
const running = new Slots(8)

/**
 * Asks `ssh -G`, so that every rule of OpenSSH's configuration holds (Match, Include, tokens). Without an ssh binary
 * OpenSSH's defaults are used and ~/.ssh/config is not read. CPN_SSH_CONFIG names another file than ~/.ssh/config.
 */
export async function readSshConfig(destination: Destination, signal?: AbortSignal): Promise<SshConfig> {
  const { address, user, port } = destination
  const file = destination.configFile ?? process.env.CPN_SSH_CONFIG
  const args = ['-G', ...(file ? ['-F', file] : []), ...(port ? ['-p', `${port}`] : []), ...(user ? ['-l', user] : [])]
  const text = await running.run(() => runSsh([...args, '--', address], address, signal), signal)
  if (text === undefined && destination.configFile) throw noSsh(destination.configFile)
  return text === undefined ? defaults(destination) : parseSshConfig(text, address)
}

/** The output of `ssh -G` as SshConfig. */
export function parseSshConfig(text: string, address: string): SshConfig {
  const values = new Map<string, string[]>()
  for (const [, key = '', value = ''] of text.matchAll(/^(\S+) (.*)$/gm))
    values.set(key, [...(values.get(key) ?? []), value])
  const one = (key: string): string | undefined => values.get(key)?.[0]
  const set = (key: string): string | undefined => (one(key)?.toLowerCase() === 'none' ? undefined : one(key))
  const hostname = one('hostname') ?? address
  const user = one('user') ?? userInfo().username
  const files = (key: string): string[] => (set(key) ?? '').split(/\s+/).filter((path) => path !== '')
  return {
    hostname,
    port: Number(one('port') ?? 22),
    user,
    identityFiles: (values.get('identityfile') ?? []).map((path) => expandTokens(path, hostname, user)),
    identitiesOnly: one('identitiesonly') === 'yes',
    sshAgent: sshAgentSocket(one('identityagent'), hostname, user),
    proxyJump: (set('proxyjump') ?? '').split(',').filter((hop) => hop !== ''),
    hasProxyCommand: set('proxycommand') !== undefined,
    knownHostsFiles: [...files('userknownhostsfile'), ...files('globalknownhostsfile')].map(expandHome),
    hostKeyAlias: set('hostkeyalias'),
    connectTimeoutMs: Number(set('connecttimeout')) > 0 ? Number(set('connecttimeout')) * 1000 : undefined,
    family: one('addressfamily') === 'inet' ? 4 : one('addressfamily') === 'inet6' ? 6 : 0,
  }
}

/** `~/x` with this machine's home. */
export function expandHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path
}

function defaults({ address, user, port }: Destination): SshConfig {
  const file = (name: string): string => join(homedir(), '.ssh', name)
  return {
    hostname: address,
    port: port ?? 22,
    user: user ?? userInfo().username,
    identityFiles: ['id_ed25519', 'id_ecdsa', 'id_rsa'].map(file),
    identitiesOnly: false,
    sshAgent: process.env.SSH_AUTH_SOCK,
    proxyJump: [],
    hasProxyCommand: false,
    knownHostsFiles: [file('known_hosts'), '/etc/ssh/ssh_known_hosts'],
    hostKeyAlias: undefined,
    connectTimeoutMs: undefined,
    family: 0,
  }
}

function sshAgentSocket(value: string | undefined, hostname: string, user: string): string | undefined {
  if (value === undefined || value === 'SSH_AUTH_SOCK') return process.env.SSH_AUTH_SOCK || undefined
  if (value.toLowerCase() === 'none') return undefined
  return value.startsWith('$') ? process.env[value.replace(/^\$\{?|\}$/g, '')] : expandTokens(value, hostname, user)
}

function expandTokens(path: string, hostname: string, user: string): string {
  const tokens: Record<string, string> = { d: homedir(), h: hostname, r: user, u: userInfo().username, '%': '%' }
  return expandHome(path.replace(/%(.)/g, (all, token: string) => tokens[token] ?? all))
}

function noSsh(file: string): CpnError {
  return new CpnError('CPN_ERR_SSH_CONFIG', `there is no ssh program to read ${file} with`, {
    suggestions: ['Install OpenSSH’s client on this machine.'],
  })
}

/** Undefined where there is no ssh. */
function runSsh(args: string[], address: string, signal?: AbortSignal): Promise<string | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<string | undefined>()
  execFile('ssh', args, { timeout: deadline('config'), signal, encoding: 'utf8' }, (error, stdout, stderr) => {
    if (!error) return resolve(stdout)
    if (signal?.aborted) return reject(signal.reason)
    if (systemErrorCode(error) === 'ENOENT') return resolve(undefined)
    reject(
      new CpnError('CPN_ERR_SSH_CONFIG', `ssh -G ${address} failed: ${saidBySsh(stderr) || error.message}`, {
        cause: error,
        suggestions: ['Correct what the message names in the ssh_config, or the address in the inventory.'],
      }),
    )
  })
  return promise
}

/** Without what ssh adds to its complaint. */
function saidBySsh(stderr: string): string {
  const lines = stderr.split(/[\r\n]+/).map((line) => line.trim())
  return lines.filter((line) => line !== '' && !/terminating, \d+ bad/.test(line)).join('; ')
}
