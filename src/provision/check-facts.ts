import type { ErrorCode } from '../common/error-codes.ts'
import { CpnError } from '../common/errors.ts'
import { maxSocketPathBytes, nodePaths } from '../protocol/paths.ts'
import type { ReleasePlatform } from '../protocol/release.ts'
import { digestTools, type HostFacts, neededTools } from './facts.ts'

/** Something that keeps a host from being a node, and what would help. */
export interface Finding {
  code: Extract<ErrorCode, 'CPN_ERR_PLATFORM' | 'CPN_ERR_HOST_CHECK'>
  message: string
  suggestion: string
  /** The column of a check of the host that it belongs to. */
  about: 'os' | 'arch' | 'libc' | 'cpu' | 'disk' | 'exec'
}

/** Oldest glibc that Node.js 26, onnxruntime and libvips load with. */
const oldestGlibc = '2.28'
/** Files and folders of a release and its models, and a little room to work. */
const neededInodes = 200
// What x86-64-v2 adds to the first x86-64, as /proc/cpuinfo names it.
const v2Flags = ['cx16', 'lahf_lm', 'popcnt', 'sse4_1', 'sse4_2', 'ssse3']

/** The platform whose release fits the host, or why none does. */
export function platformOf(facts: HostFacts): ReleasePlatform | Finding {
  const arch = { x86_64: 'x64', amd64: 'x64', aarch64: 'arm64', arm64: 'arm64' }[facts.machine]
  if (facts.system === 'Darwin')
    return arch === 'arm64' ? 'darwin-arm64' : notOurs('this is a Mac with an Intel CPU', 'arch')
  if (facts.system !== 'Linux') return notOurs(`${facts.system} is none of our systems`, 'os')
  if (facts.bits === 32 || !arch) return wrongMachine(facts)
  if (facts.libc.name === 'musl') {
    return platform(
      'libc',
      'its C library is musl',
      'Use a glibc system there (Debian, Ubuntu, Fedora, …), not Alpine.',
    )
  }
  if (isOlder(facts.libc.version, oldestGlibc)) {
    return platform(
      'libc',
      `its glibc ${facts.libc.version} is older than ${oldestGlibc}`,
      'Upgrade the system: Debian 10, Ubuntu 20.04, RHEL 8 or newer.',
    )
  }
  const lacking = v2Flags.filter((flag) => !facts.cpuFlags.includes(flag))
  if (arch === 'x64' && lacking.length > 0) return oldCpu(lacking)
  return `linux-${arch as 'x64' | 'arm64'}`
}

/** Everything that keeps cpn from working on a host of a known platform. `installs` are packages apt will bring. */
export function hostFindings(facts: HostFacts, fleetId: string, installs: string[] = []): Finding[] {
  return [
    ...toolFindings(facts),
    ...libraryFindings(facts, installs),
    ...folderFindings(facts),
    ...socketFindings(facts, fleetId),
  ]
}

/** Refuses a host whose disk cannot take `neededBytes` more, or not the files that they are. */
export function spaceFindings(facts: HostFacts, neededBytes: number): Finding[] {
  if (facts.near.freeBytes >= neededBytes) return neededBytes > 0 ? inodeFindings(facts) : []
  const free = `${Math.floor(facts.near.freeBytes / 1e6)} MB`
  const needed = `${Math.ceil(neededBytes / 1e6)} MB`
  return [
    hostCheck(
      'disk',
      `${facts.near.path} has ${free} free and needs ${needed}`,
      'Free space there, or set remoteDir to a folder on a larger disk.',
    ),
  ]
}

function inodeFindings({ near: { path, freeInodes } }: HostFacts): Finding[] {
  if (freeInodes === undefined || freeInodes >= neededInodes) return []
  return [
    hostCheck(
      'disk',
      `${path} has room for ${freeInodes} more files (inodes) and needs ${neededInodes}`,
      'Remove files there (df -i), or set remoteDir to a folder on another disk.',
    ),
  ]
}

/** Throws what was found as one error; nothing found, nothing thrown. */
export function refuse(host: string, findings: Finding[]): void {
  const [first] = findings
  if (first) throw refusal(host, first, ...findings.slice(1))
}

/** What was found, as one error. */
export function refusal(host: string, first: Finding, ...more: Finding[]): CpnError {
  const findings = [first, ...more]
  return new CpnError(first.code, findings.map(({ message }) => message).join('; '), {
    host,
    suggestions: findings.map(({ suggestion }) => suggestion),
  })
}

function toolFindings(facts: HostFacts): Finding[] {
  const missing: string[] = neededTools.filter((tool) => !facts.tools.includes(tool))
  if (!digestTools.some((tool) => facts.tools.includes(tool))) missing.push(digestTools.join(' or '))
  if (missing.length === 0) return []
  return [
    hostCheck('os', `it lacks ${missing.join(', ')}`, 'Install the system’s basic tools (coreutils, gzip) there.'),
  ]
}

function libraryFindings(facts: HostFacts, installs: string[]): Finding[] {
  if (facts.system !== 'Linux' || facts.libraries.includes('libstdc++.so.6') || installs.includes('libstdc++6'))
    return []
  return [
    hostCheck(
      'libc',
      'it lacks libstdc++.so.6, which the Node.js runtime loads',
      'Install it there (Debian: apt-get install libstdc++6), or let cpn do it: put ' +
        '`requirements: [{ apt: [libstdc++6] }]` into the inventory and provision with --sudo.',
    ),
  ]
}

function folderFindings({ near, dir, dirOwner, linkOwner, uid }: HostFacts): Finding[] {
  const options = new Set(near.mountOptions)
  if (options.has('noexec')) {
    return [
      hostCheck(
        'exec',
        `${near.path} is mounted noexec: nothing can run there`,
        'Set remoteDir to a folder elsewhere.',
      ),
    ]
  }
  if (options.has('ro'))
    return [hostCheck('disk', `${near.path} is mounted read-only`, 'Set remoteDir to a writable folder.')]
  if (!near.writable) {
    return [
      hostCheck(
        'disk',
        `${dir} cannot be written: ${near.path} is closed to this user`,
        'Set remoteDir to a folder of its own.',
      ),
    ]
  }
  if (linkOwner !== undefined && linkOwner !== uid && linkOwner !== 0) {
    return [
      hostCheck(
        'disk',
        `${dir} is a link that another user has made`,
        'Remove the link, or set remoteDir to a folder where only this user can make one.',
      ),
    ]
  }
  if (!dirOwner || (dirOwner.uid === uid && !dirOwner.othersWrite)) return []
  return [
    hostCheck(
      'disk',
      `${dir} belongs to another user or can be written by others, who could change what runs from there`,
      'Set remoteDir to a folder of this user alone, or close it to others: chmod go-w.',
    ),
  ]
}

function socketFindings(facts: HostFacts, fleetId: string): Finding[] {
  const socket = `${facts.dir}/${nodePaths.socket(fleetId)}`
  const limit = maxSocketPathBytes[facts.system === 'Darwin' ? 'darwin' : 'linux']
  const length = Buffer.byteLength(socket)
  if (length <= limit) return []
  return [
    hostCheck(
      'disk',
      `the agent's socket ${socket} would have ${length} bytes, the system's limit is ${limit}`,
      'Set remoteDir to a shorter path.',
    ),
  ]
}

function wrongMachine({ machine, bits }: HostFacts): Finding {
  if (/^arm|^aarch64/.test(machine)) {
    return platform(
      'arch',
      'it runs 32-bit ARM programs',
      'Install a 64-bit system there (Raspberry Pi 3 and newer can).',
    )
  }
  return notOurs(bits === 32 ? 'it runs 32-bit programs' : `${machine} is none of our machines`, 'arch')
}

function oldCpu(lacking: string[]): Finding {
  return platform(
    'cpu',
    `its CPU is no x86-64-v2, it lacks ${lacking.join(', ')}`,
    'Use a CPU from 2009 or later; in a virtual machine choose the CPU model "host" or "x86-64-v2".',
  )
}

function notOurs(message: string, about: 'os' | 'arch'): Finding {
  return platform(about, message, 'Use Linux x64 or arm64 with glibc, macOS on Apple silicon, or WSL2 on Windows.')
}

function platform(about: Finding['about'], message: string, suggestion: string): Finding {
  return { code: 'CPN_ERR_PLATFORM', message: `cpn does not run on this host: ${message}`, suggestion, about }
}

function hostCheck(about: Finding['about'], message: string, suggestion: string): Finding {
  return { code: 'CPN_ERR_HOST_CHECK', message, suggestion, about }
}

// Unknown versions are let through: the verification tells.
function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split('.').map(Number))
  if (!version || a!.some(Number.isNaN)) return false
  return a![0]! < b![0]! || (a![0] === b![0] && (a![1] ?? 0) < (b![1] ?? 0))
}
