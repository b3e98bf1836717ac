/** What kind of machine a host is: what factsScript asks. */
export interface HostFacts {
  /** `uname -s` and `uname -m`. */
  system: string
  machine: string
  /** Bits of a pointer in the host's own programs; 32 also under a 64-bit kernel with 32-bit programs. */
  bits: number
  libc: { name: 'glibc' | 'musl' | 'other'; version: string }
  /** Flags of /proc/cpuinfo; empty where there is none. */
  cpuFlags: string[]
  user: string
  uid: number
  /** Absolute, without symbolic links. */
  home: string
  /** The host's remoteDir, absolute. */
  dir: string
  /** Whose `dir` is, and whether others may write there; undefined while there is none. */
  dirOwner?: { uid: number; othersWrite: boolean } | undefined
  /** Whose link remoteDir is; undefined when it is none. */
  linkOwner?: number | undefined
  /** The closest folder of `dir` that exists, and what holds for it. */
  near: { path: string; writable: boolean; mountOptions: string[]; freeBytes: number; freeInodes?: number | undefined }
  tools: string[]
  /** Shared libraries that the runtime needs and that the host has. */
  libraries: string[]
  sudo: 'root' | 'passwordless' | 'password' | 'none' | 'unasked'
  /** systemd keeps the user's processes after the last logout. */
  lingers: boolean
  /** Processes above the script, nearest first. */
  ancestors: number[]
  /** Only asked for a check of the host. */
  more?: MoreFacts
}

/** What provisioning does without and people want to know. */
export interface MoreFacts {
  cores: number
  memoryBytes: number
  /** Seconds since 1970 by the host's clock. */
  time: number
  /** `debian 12`; empty where the system does not say. */
  os: string
  services: 'systemd-user' | 'systemd' | 'launchd' | 'openrc' | 'none'
  /** Whether somebody holds a lock of apt or dpkg. */
  apt: 'free' | 'locked' | 'none'
  /** Unix sockets that somebody listens on and the user may connect to; at most three. */
  sockets: string[]
}

/** Programs that a host must have for the runtime to get there. */
export const neededTools = ['sh', 'cat', 'mkdir', 'mv', 'ln', 'rm', 'ls', 'chmod', 'gzip'] as const
/** One of these compares digests before the runtime is there. */
export const digestTools = ['sha256sum', 'shasum', 'openssl'] as const
export const otherTools = ['zstd', 'dpkg-query', 'apt-get', 'dpkg', 'python3', 'sudo', 'systemctl'] as const

/** Libraries that Node.js loads from the host on Linux; for the second one a release has a stand-in. */
export const askedLibraries = ['libstdc++.so.6', 'libatomic.so.1'] as const

/** Facts out of the script's output; undefined when it is not that output. */
export function parseFacts(output: string): HostFacts | undefined {
  const said = new Map<string, string[]>()
  for (const [, key, value] of output.matchAll(/^cpn-fact (\w+)=(.*)$/gm)) {
    said.getOrInsertComputed(key!, () => []).push(value!.trim())
  }
  const one = (key: string) => said.get(key)?.[0] ?? ''
  const number = (key: string) => Number(one(key)) || 0
  if (!said.has('end') || !one('home').startsWith('/')) return undefined
  const [system = '', machine = ''] = one('kernel').split(' ')
  const [, uid = '', user = ''] = /^uid=(\d+)(?:\(([^)]*)\))?/.exec(one('id')) ?? []
  return {
    system,
    machine,
    bits: number('bits') || 64,
    libc: libcOf(one('libc'), said.has('musl')),
    cpuFlags: one('flags').split(' ').filter(Boolean),
    user,
    uid: Number(uid),
    home: one('home'),
    dir: one('dir').replace(/(.)\/+$/, '$1'),
    dirOwner: ownerOf(one('dirOwner')),
    linkOwner: said.has('linkOwner')
      ? Number(/^l\S*\s+\d+\s+(\d+)\s/.exec(one('linkOwner'))?.[1] ?? Number.NaN)
      : undefined,
    near: {
      path: one('near'),
      writable: one('writable') === 'yes',
      mountOptions: one('mount').split(',').filter(Boolean),
      freeBytes: freeBytes(one('disk')),
      freeInodes: freeInodes(one('inodes')),
    },
    tools: said.get('tool') ?? [],
    libraries: said.get('library') ?? [],
    sudo: uid === '0' ? 'root' : ((one('sudo') || 'unasked') as HostFacts['sudo']),
    lingers: one('lingers') === 'yes',
    ancestors: one('ancestors').split(' ').map(Number).filter(Boolean),
    ...(said.has('services') && { more: moreOf(said) }),
  }
}

function moreOf(said: Map<string, string[]>): MoreFacts {
  const number = (key: string) => Number(said.get(key)?.[0]) || 0
  return {
    cores: number('cores'),
    memoryBytes: number('memory') || number('memoryKb') * 1024,
    time: number('time'),
    os: said.get('os')?.find(Boolean) ?? '',
    services: said.get('services')![0] as MoreFacts['services'],
    apt: (said.get('apt')?.[0] ?? 'none') as MoreFacts['apt'],
    sockets: said.get('socket') ?? [],
  }
}

// "drwxr-xr-x links uid …"
function ownerOf(line: string): HostFacts['dirOwner'] {
  const [, group, others, uid] = /^d...(..).(..).\S*\s+\d+\s+(\d+)\s/.exec(line) ?? []
  return uid === undefined ? undefined : { uid: Number(uid), othersWrite: `${group}${others}`.includes('w') }
}

// A glibc system may have musl beside it; a musl system has no GNU_LIBC_VERSION.
function libcOf(gnu: string, musl: boolean): HostFacts['libc'] {
  const version = /^glibc (\S+)/.exec(gnu)?.[1]
  if (version) return { name: 'glibc', version }
  return { name: musl ? 'musl' : 'other', version: '' }
}

// "device total used free 24% /mount": the device may hold spaces, so it is read from its end.
function freeBytes(line: string): number {
  return Number(/\s(\d+)\s+\d+%\s+\//.exec(line)?.[1] ?? 0) * 1024
}

// "device inodes used free 24% /mount"; a file system without a fixed number of them says 0 or nothing.
function freeInodes(line: string): number | undefined {
  const [, total, free] = /\s(\d+)\s+\d+\s+(\d+)\s+\d+%\s+\//.exec(line) ?? []
  return Number(total) > 0 ? Number(free) : undefined
}
