import { access, glob, readFile } from 'node:fs/promises'
import { homedir, userInfo } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { CpnError, reasonOf } from '../common/errors.ts'
import { expandHome, readSshConfig, type SshConfig } from './ssh/ssh-config.ts'

/** Includes within includes that are followed, as OpenSSH has it. */
const maxDepth = 16

/** What ssh_config says of one of its hosts, without what is OpenSSH's default anyway. */
export interface ConfiguredHost {
  alias: string
  address: string
  port?: number | undefined
  user?: string | undefined
  /** The first configured one that is there. */
  identityFile?: string | undefined
  /** As ProxyJump has it, outermost first. */
  jump: string[]
  hasProxyCommand: boolean
  /** Why ssh does not take this alias. */
  fault?: string
}

/**
 * The hosts that an ssh_config names without wildcards, Include followed, values as `ssh -G` gives them. Without `file`
 * it is ~/.ssh/config. Ends with CPN_ERR_SSH_CONFIG.
 */
export async function sshConfigHosts(file?: string, signal?: AbortSignal): Promise<ConfiguredHost[]> {
  const path = file ?? process.env.CPN_SSH_CONFIG ?? join(homedir(), '.ssh', 'config')
  const aliases = new Set(await aliasesIn(path, 0))
  const defaults = await readSshConfig({ address: 'host.invalid', configFile: '/dev/null' }, signal)
  const read = (alias: string) => readSshConfig({ address: alias, configFile: path }, signal)
  const found = await Promise.allSettled(
    [...aliases].map(async (alias) => configured(alias, await read(alias), defaults)),
  )
  signal?.throwIfAborted()
  // What is wrong with the file is wrong with all of its hosts; an alias that ssh refuses is only its own fault.
  const failures = found.filter((each) => each.status === 'rejected')
  if (failures.length > 0 && failures.length === found.length) throw failures[0]!.reason
  return [...aliases].map((alias, index) => {
    const each = found[index]!
    return each.status === 'fulfilled' ? each.value : refused(alias, (each.reason as Error).message)
  })
}

function refused(alias: string, fault: string): ConfiguredHost {
  return { alias, address: alias, jump: [], hasProxyCommand: false, fault }
}

async function configured(alias: string, config: SshConfig, defaults: SshConfig): Promise<ConfiguredHost> {
  return {
    alias,
    address: config.hostname,
    port: config.port === 22 ? undefined : config.port,
    user: config.user === userInfo().username ? undefined : config.user,
    identityFile: await firstThere(config.identityFiles.filter((path) => !defaults.identityFiles.includes(path))),
    jump: config.proxyJump,
    hasProxyCommand: config.hasProxyCommand && config.proxyJump.length === 0,
  }
}

async function firstThere(paths: string[]): Promise<string | undefined> {
  for (const path of paths) {
    const there = await access(path).then(
      () => isAbsolute(path),
      () => false,
    )
    if (there) return path
  }
  return undefined
}

async function aliasesIn(file: string, depth: number): Promise<string[]> {
  if (depth > maxDepth) throw unreadable(file, 'its Includes are nested too deeply')
  const found: string[] = []
  for (const { keyword, words } of linesOf(await readConfig(file, depth))) {
    if (keyword === 'host') found.push(...words.filter((word) => !/[*?!]/.test(word) && !word.startsWith('-')))
    if (keyword === 'include') {
      for (const path of await included(words)) found.push(...(await aliasesIn(path, depth + 1)))
    }
  }
  return found
}

async function readConfig(file: string, depth: number): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    // OpenSSH passes over an included file that it may not read.
    if (depth > 0) return ''
    throw unreadable(file, reasonOf(error))
  }
}

function* linesOf(text: string): Generator<{ keyword: string; words: string[] }> {
  for (const line of text.split(/\r?\n/)) {
    const [, keyword, rest = ''] = /^\s*([A-Za-z]+)(?:\s*=\s*|\s+)(.*)$/.exec(line) ?? []
    if (keyword) yield { keyword: keyword.toLowerCase(), words: wordsOf(rest) }
  }
}

function wordsOf(text: string): string[] {
  const words = [...text.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!)
  const comment = words.findIndex((word) => word.startsWith('#'))
  return comment < 0 ? words : words.slice(0, comment)
}

// Relative paths are below ~/.ssh, whichever file names them.
async function included(patterns: string[]): Promise<string[]> {
  const paths = patterns.map(expandHome).map((path) => (isAbsolute(path) ? path : join(homedir(), '.ssh', path)))
  const found = await Promise.all(paths.map((path) => Array.fromAsync(glob(path))))
  return found.flatMap((each) => each.sort())
}

function unreadable(file: string, why: string): CpnError {
  return new CpnError('CPN_ERR_SSH_CONFIG', `${file} cannot be read: ${why}`, {
    suggestions: ['Name a readable ssh_config: --ssh-config FILE'],
  })
}
