import { execFileSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { onExit } from './exit-cleanup.ts'
import { processStart } from './processes.ts'

/** A network namespace with one cable to this machine and no route beyond it. */
export interface VethLink {
  /** Name for `ip netns exec`. */
  namespace: string
  /** Address of the namespace's end. */
  address: string
  /** From now on no more than this passes in either direction. */
  limit(megabits: number): void
  /** Bytes that have passed since `limit` was called. */
  traffic(): Traffic
  /** Takes namespace and cable away; processes in it have to be gone. */
  remove(): void
}

/** Bytes on the cable, packet headers included. */
export interface Traffic {
  /** Into the namespace. */
  to: number
  /** Out of it. */
  from: number
}

const prefix = 'cpn-t-'
let links = 0

/** Makes a link. The namespace's name says whose it is, so that a later run sweeps it when this one is killed. */
export function makeVethLink(): VethLink {
  sweepStaleLinks()
  links++
  const namespace = `${prefix}${process.pid}-${processStart(process.pid)}-${links}`
  const cable = `cpn${process.pid}x${links}`
  // 198.18.0.0/15 is set aside for tests of networks: these are nobody's real addresses.
  const net = `198.18.${randomInt(256)}`
  const first = randomInt(64) * 4
  ip('netns', 'add', namespace)
  // The kernel takes the cable of a namespace away when it comes to it: it goes first, and at once.
  const remove = (): void => {
    ip('link', 'del', cable)
    ip('netns', 'del', namespace)
  }
  const forget = onExit(remove)
  ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace)
  ip('address', 'add', `${net}.${first + 1}/30`, 'dev', cable)
  ip('link', 'set', cable, 'up')
  ip('-n', namespace, 'address', 'add', `${net}.${first + 2}/30`, 'dev', 'eth0')
  for (const device of ['lo', 'eth0']) ip('-n', namespace, 'link', 'set', device, 'up')
  const ends: Ends = { near: ['dev', cable], far: ['dev', 'eth0'], namespace }
  return {
    namespace,
    address: `${net}.${first + 2}`,
    limit: (megabits) => limitLink(ends, megabits),
    traffic: () => ({ to: passed(ends.near), from: passed(ends.far, namespace) }),
    remove: () => {
      forget()
      remove()
    },
  }
}

/** Arguments that name the cable's two devices. */
interface Ends {
  near: string[]
  far: string[]
  namespace: string
}

function limitLink({ near, far, namespace }: Ends, megabits: number): void {
  // The bucket holds what may pass between two ticks of a kernel that has 250 in a second, and some packets at least.
  const bucket = Math.max(32_000, (megabits * 1e6) / 8 / 250)
  const rule = ['root', 'tbf', 'rate', `${megabits}mbit`, 'burst', `${Math.round(bucket)}`, 'latency', '50ms']
  tc(['qdisc', 'replace', ...near, ...rule])
  tc(['qdisc', 'replace', ...far, ...rule], namespace)
}

/** What the limit has let through. The device's own counters leave out the headers of packets that are sent in one piece. */
function passed(end: string[], namespace?: string): number {
  const [limit] = JSON.parse(tc(['-s', '-j', 'qdisc', 'show', ...end, 'root'], namespace)) as [{ bytes: number }]
  return limit.bytes
}

function tc(args: string[], namespace?: string): string {
  const where = namespace === undefined ? [] : ['-n', namespace]
  return execFileSync('tc', [...where, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Why no link can be made here; false where one can. */
export function vethMissing(): string | false {
  try {
    ip('netns', 'list')
    return false
  } catch {
    return 'needs iproute2 and the right to make network namespaces'
  }
}

function sweepStaleLinks(): void {
  for (const name of existsSync('/run/netns') ? readdirSync('/run/netns') : []) {
    const [, pid, start] = /^cpn-t-(\d+)-(\d+)-\d+$/.exec(name) ?? []
    if (pid !== undefined && processStart(Number(pid)) !== start) ip('netns', 'del', name)
  }
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] })
}
