import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { displayWidth } from '../../src/ui/format.ts'
import type { CpnResult } from '../helpers/cli.ts'
import type { TreeEntry } from '../helpers/file-tree.ts'
import { assertIdle, assertSameTree } from '../helpers/leaks.ts'
import { type Project, project } from '../helpers/project.ts'
import { type SshdHost, startSshd } from '../helpers/sshd.ts'
import type { StrangeHost, Told } from './hostile-hosts.ts'

const mostLines = 5
const columns = 80

/** Strange hosts and a good one in one inventory. */
export interface StrangeFleet extends AsyncDisposable {
  home: Project
  /** The servers that there are, by name. */
  hosts: Map<string, SshdHost>
  /** Fails when anything was left on a host, or runs there. */
  assertUntouched(): Promise<void>
}

/** Starts the servers and writes inventory and known_hosts of a fleet: `good` and these. */
export async function strangeFleet(rows: StrangeHost[]): Promise<StrangeFleet> {
  await using starting = new AsyncDisposableStack()
  const home = starting.use(project())
  const hosts = new Map<string, SshdHost>()
  const entries: string[] = []
  const known: string[] = []
  for (const row of [{ name: 'good', sshd: {} }, ...rows] as StrangeHost[]) {
    const { name, sshd, prepare, entry = {}, known: knownOf = (host) => [host.knownHostsLine()], userKnown } = row
    const host = sshd && starting.use(await startSshd({ name, ...sshd }))
    if (host) {
      hosts.set(name, host)
      const undo = prepare?.(host)
      if (undo) starting.defer(undo)
      known.push(...knownOf(host))
      if (row.refuses?.code === 'CPN_ERR_HOST_KEY_CHANGED') await host.rotateHostKey()
      if (userKnown) writeUserKnown(home, userKnown(host))
    }
    const place = host && { address: host.address, port: host.port, user: host.user, identityFile: host.identityFile }
    const own = typeof entry === 'function' ? entry(host!) : entry
    entries.push(`  ${name}: ${JSON.stringify({ ...place, ...own })}`)
  }
  writeFileSync(home.inventory, ['version: 1', 'hosts:', ...entries, ''].join('\n'))
  mkdirSync(join(home.folder, '.cpn'), { mode: 0o700 })
  writeFileSync(join(home.folder, '.cpn', 'known_hosts'), `${known.join('\n')}\n`, { mode: 0o600 })
  const trees = new Map([...hosts].map(([name, host]): [string, TreeEntry[]] => [name, host.tree()]))
  const started = starting.move()
  return {
    home,
    hosts,
    assertUntouched: async () => {
      await assertIdle([...hosts.values()])
      for (const [name, host] of hosts) assertSameTree(host, trees.get(name)!)
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  }
}

/** Hashed, as Debian has it. ssh takes ~ from the account and not from HOME. */
function writeUserKnown(home: Project, lines: string[]): void {
  const file = join(home.env.HOME!, '.ssh', 'known_hosts')
  writeFileSync(file, lines.map((line) => `${line}\n`).join(''))
  execFileSync('ssh-keygen', ['-H', '-f', file], { stdio: 'ignore' })
  writeFileSync(home.env.CPN_SSH_CONFIG!, `UserKnownHostsFile ${file}\n`)
}

/** What a command printed about a host: its line and those that belong to it. */
export function toldOf({ stdout, stderr }: Pick<CpnResult, 'stdout' | 'stderr'>, name: string): string[] {
  const lines = `${stdout}\n${stderr}`.split('\n')
  const begin = lines.findIndex((line) => line.startsWith(`✖ ${name}: `) || line.startsWith(`${name} does no work: `))
  if (begin < 0) return []
  const end = lines.findIndex((line, index) => index > begin && !line.startsWith('  '))
  return lines.slice(begin, end < 0 ? undefined : end)
}

/** Fails unless these lines are one short message with cause, remedy and code. */
export function assertTold(lines: string[], { code, cause, remedy }: Told, what: string): void {
  const text = lines.join('\n')
  const shown = `${what}:\n${text}`
  assert.ok(lines.length > 0, `nothing was told of ${what}`)
  assert.match(text, cause, shown)
  assert.match(text, remedy, shown)
  assert.ok(text.includes(code), shown)
  const wrapped = lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(displayWidth(line) / columns)), 0)
  assert.ok(wrapped <= mostLines, `${wrapped} lines on a terminal of ${columns} columns: ${shown}`)
  assert.doesNotMatch(text, /\bat .*\.[jt]s:|\(SSH\)|getaddrinfo|\[object|undefined/, shown)
}
