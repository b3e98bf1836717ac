import type { ErrorCode } from '../common/error-codes.ts'
import { formatBytes } from '../common/format.ts'
import type { Allowed } from '../transport/transport.ts'
import { hostFindings, platformOf, spaceFindings } from './check-facts.ts'
import type { HostFacts } from './facts.ts'

/** What is looked at on a host, in the order in which it is shown. */
export const checkNames = [
  'reachable',
  'key',
  'login',
  'sftp',
  'tunnel',
  'os',
  'arch',
  'libc',
  'cpu',
  'cores',
  'memory',
  'disk',
  'exec',
  'sudo',
  'services',
  'clock',
  'apt',
] as const
export type CheckName = (typeof checkNames)[number]

export interface HostCheck {
  /** `lack` may still be a host that cpn can use: its hint says whether provisioning needs it. */
  verdict: 'ok' | 'lack' | 'unknown'
  /** What was found, in a word or two; empty when nothing was. */
  found: string
}

/** Something that a host lacks. */
export interface Hint {
  check: CheckName
  /** True when provisioning cannot do without. */
  needed: boolean
  message: string
  /** What would help; lines where it is several things. */
  suggestion: string
  /** What provisioning would end with. */
  code?: ErrorCode
}

export type HostChecks = Record<CheckName, HostCheck>

export interface Surroundings {
  fleetId: string
  allowed: Allowed
  /** Seconds by which the host's clock is ahead of the master's, as exactly as one round trip tells. */
  clockAheadSeconds: number
  /** Seconds by which the measurement may be wrong. */
  clockErrorSeconds: number
}

/** Bytes that a release takes on a host, with room for what goes on meanwhile. */
const releaseBytes = 300e6
const smallMemoryBytes = 1e9
const tolerableSeconds = 5

/** What facts say of everything behind the login, and what would help where they lack something. */
export function reportFacts(facts: HostFacts, around: Surroundings): { checks: Partial<HostChecks>; hints: Hint[] } {
  const hints = [...neededHints(facts, around.fleetId), ...helpfulHints(facts, around)]
  const checks: Partial<HostChecks> = {}
  for (const [check, found] of Object.entries(foundIn(facts, around)) as [CheckName, string][]) {
    const lack = hints.some((hint) => hint.check === check)
    checks[check] = { verdict: lack ? 'lack' : found === '' ? 'unknown' : 'ok', found }
  }
  return { checks, hints }
}

function foundIn(facts: HostFacts, { allowed, clockAheadSeconds }: Surroundings): Partial<Record<CheckName, string>> {
  const { more, libc, near } = facts
  return {
    sftp: allowed.sftp ? 'yes' : 'no',
    tunnel: allowed.forwarding === undefined ? '' : allowed.forwarding ? 'forwarding' : 'bridge',
    os: more?.os || facts.system,
    arch: facts.bits === 32 ? `${facts.machine} 32-bit` : facts.machine,
    libc: facts.system === 'Linux' ? `${libc.name} ${libc.version}`.trim() : 'system',
    cpu: cpuLevel(facts),
    cores: facts.cores > 0 ? `${facts.cores}` : '',
    memory: facts.memoryBytes > 0 ? formatBytes(facts.memoryBytes) : '',
    disk: formatBytes(near.freeBytes),
    exec: near.mountOptions.includes('noexec') ? 'noexec' : 'yes',
    sudo: facts.sudo === 'unasked' ? '' : facts.sudo,
    services: more?.services ?? '',
    clock: ahead(clockAheadSeconds),
    apt: more?.apt ?? '',
  }
}

function neededHints(facts: HostFacts, fleetId: string): Hint[] {
  const platform = platformOf(facts)
  const findings = [...(typeof platform === 'object' ? [platform] : []), ...hostFindings(facts, fleetId)]
  // A host that has a release already has room for it.
  if (!facts.dirOwner) findings.push(...spaceFindings(facts, releaseBytes))
  return findings.map(({ about, ...finding }) => ({ check: about, needed: true, ...finding }))
}

function helpfulHints(facts: HostFacts, around: Surroundings): Hint[] {
  const { allowed, clockAheadSeconds, clockErrorSeconds } = around
  const { more, memoryBytes, sudo } = facts
  const wrongClock = Math.abs(clockAheadSeconds) > tolerableSeconds + clockErrorSeconds
  const lacks: [boolean, Omit<Hint, 'needed'>][] = [
    [!allowed.sftp, sftpHint],
    [allowed.forwarding === false, tunnelHint],
    [memoryBytes > 0 && memoryBytes < smallMemoryBytes, memoryHint],
    [sudo === 'none', sudoHint],
    [more !== undefined && !['systemd-user', 'launchd'].includes(more.services), servicesHint],
    [wrongClock, clockHint(clockAheadSeconds)],
    [more?.apt === 'locked', aptHint],
  ]
  return lacks.filter(([lacking]) => lacking).map(([, hint]) => ({ ...hint, needed: false }))
}

const sftpHint = {
  check: 'sftp',
  message: 'SFTP does not work: sshd does not offer it, or start files print something',
  suggestion: 'Files go through commands instead; for SFTP set `Subsystem sftp internal-sftp` in sshd_config.',
} as const

const tunnelHint = {
  check: 'tunnel',
  message: 'sshd forbids forwarding to Unix sockets, so that a slower bridge is used',
  suggestion: 'Set AllowStreamLocalForwarding yes and AllowTcpForwarding yes in sshd_config.',
} as const

const memoryHint = {
  check: 'memory',
  message: 'there is less than 1 GB of memory',
  suggestion: 'Set workers: 1 for this host in the inventory.',
} as const

const sudoHint = {
  check: 'sudo',
  message: 'there is no sudo, so that nothing can be installed with apt',
  suggestion: 'Install what the requirements name there as root, or install sudo.',
} as const

const servicesHint = {
  check: 'services',
  message: 'no systemd user manager runs, so that the agent is not started again after a reboot',
  suggestion: 'cpn starts it when it needs it; for more enable systemd lingering: loginctl enable-linger.',
} as const

const aptHint = {
  check: 'apt',
  message: 'another package manager holds the lock of apt',
  suggestion: 'Let it finish first; provisioning waits for it where it has to install something.',
} as const

function clockHint(seconds: number): Omit<Hint, 'needed'> {
  const message = `the clock is ${ahead(Math.abs(seconds)).slice(1)} ${seconds > 0 ? 'ahead of' : 'behind'} this machine’s`
  return { check: 'clock', message, suggestion: 'Switch on its time synchronisation: timedatectl set-ntp true.' }
}

function ahead(seconds: number): string {
  const size = Math.abs(seconds)
  const [value, unit] = size < 120 ? [size, 's'] : size < 172_800 ? [size / 60, 'min'] : [size / 86_400, 'd']
  return `${seconds < 0 ? '-' : '+'}${Math.round(value)} ${unit}`
}

function cpuLevel({ machine, cpuFlags }: HostFacts): string {
  if (!/^(x86_64|amd64)$/.test(machine)) return machine
  const has = (...flags: string[]) => flags.every((flag) => cpuFlags.includes(flag))
  if (!has('cx16', 'popcnt', 'sse4_1', 'sse4_2', 'ssse3')) return 'below v2'
  return has('avx2', 'bmi2', 'fma') ? 'v3' : 'v2'
}
