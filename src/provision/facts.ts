import { quote } from '../transport/shell.ts'
import { ancestorsFact } from './lock.ts'

/** What gather-facts learns of a host in one round trip. Nothing of it is written there. */
export interface HostFacts {
  /** `uname -s` and `uname -m`. */
  system: string
  machine: string
  /** Bits of a pointer in the host's own programs; 32 also under a 64-bit kernel with 32-bit programs. */
  bits: number
  libc: { name: 'glibc' | 'musl' | 'other'; version: string }
  /** Flags of /proc/cpuinfo; empty where there is none. */
  cpuFlags: string[]
  cores: number
  memoryBytes: number
  user: string
  uid: number
  /** Absolute, without symbolic links. */
  home: string
  /** The host's remoteDir, absolute. */
  dir: string
  /** Whose `dir` is, and whether others may write there; undefined while there is none. */
  dirOwner?: { uid: number; othersWrite: boolean } | undefined
  /** The closest folder of `dir` that exists, and what holds for it. */
  near: { path: string; writable: boolean; mountOptions: string[]; freeBytes: number; freeInodes?: number | undefined }
  tools: string[]
  /** Shared libraries that the runtime needs and that the host has. */
  libraries: string[]
  sudo: 'root' | 'passwordless' | 'password' | 'none' | 'unasked'
  /** Seconds since 1970 by the host's clock. */
  time: number
  /** Processes above the script, nearest first. */
  ancestors: number[]
  /** Only asked for a check of the host. */
  more?: MoreFacts
}

/** What provisioning does without and people want to know. */
export interface MoreFacts {
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
const otherTools = ['tee', 'zstd', 'dpkg-query', 'apt-get', 'dpkg', 'python3', 'sudo', 'systemctl'] as const

/** Libraries that Node.js loads from the host on Linux; for the second one a release has a stand-in. */
export const askedLibraries = ['libstdc++.so.6', 'libatomic.so.1'] as const

/**
 * The one script of gather-facts.
 * @param remoteDir as in the inventory; `~` is the remote home
 * @param askSudo whether to find out if sudo works without a password (which sudo logs)
 * @param askMore whether to ask for MoreFacts as well
 */
export function factsScript(remoteDir: string, askSudo: boolean, askMore = false): string {
  return `
LC_ALL=C; export LC_ALL
PATH=$PATH:/usr/sbin:/sbin
say() { printf 'cpn-fact %s=%s\\n' "$1" "$2"; }
say system "$(uname -s)"
say machine "$(uname -m)"
say bits "$(getconf LONG_BIT 2>/dev/null)"
say libc "$(getconf GNU_LIBC_VERSION 2>/dev/null)"
for f in /lib/ld-musl-*.so.1; do [ -e "$f" ] && say musl "$f"; done
say flags "$(sed -n '/^flags/{s/.*: //p;q;}' /proc/cpuinfo 2>/dev/null)"
say cores "$(getconf _NPROCESSORS_ONLN 2>/dev/null)"
say memoryKb "$(sed -n 's/^MemTotal: *\\([0-9]*\\).*/\\1/p' /proc/meminfo 2>/dev/null)"
[ -r /proc/meminfo ] || say memory "$(sysctl -n hw.memsize 2>/dev/null)"
say user "$(id -un 2>/dev/null)"
say uid "$(id -u)"
home=$(CDPATH='' cd -- "$HOME" 2>/dev/null && pwd -P)
say home "$home"
dir=${quote(remoteDir)}
case $dir in
  '~') dir=$home ;;
  '~/'*) dir=$home/\${dir#'~/'} ;;
  /*) ;;
  *) dir=$home/$dir ;;
esac
say dir "$dir"
[ -d "$dir" ] && say dirOwner "$(ls -lnLd "$dir/." 2>/dev/null)"
near=$dir
while [ -n "$near" ] && [ ! -d "$near" ]; do near=\${near%/*}; done
near=$(CDPATH='' cd -- "\${near:-/}" && pwd -P)
say near "$near"
[ -w "$near" ] && say writable yes
disk=$(df -Pk "$near" 2>/dev/null | sed -n '$p')
say disk "$disk"
say inodes "$(df -Pi "$near" 2>/dev/null | sed -n '$p')"
mount=\${disk##*% }
if [ -r /proc/mounts ]; then
  while read -r _ at _ options _; do [ "$at" = "$mount" ] && last=$options; done </proc/mounts
  say mount "$last"
fi
for t in ${[...neededTools, ...digestTools, ...otherTools].join(' ')}; do
  command -v "$t" >/dev/null 2>&1 && say tool "$t"
done
for l in ${askedLibraries.join(' ')}; do
  for f in $(ldconfig -p 2>/dev/null | sed -n "s|^[[:space:]]*$l .*=> ||p") \\
    /lib/$l /usr/lib/$l /lib64/$l /usr/lib64/$l /usr/local/lib/$l /lib/*-linux-gnu/$l /usr/lib/*-linux-gnu/$l; do
    [ -s "$f" ] && { say library "$l"; break; }
  done
done
${askSudo ? sudoQuestion : ''}${askMore ? moreQuestions : ''}${ancestorsFact}say time "$(date +%s)"
`
}

const sudoQuestion = `if command -v sudo >/dev/null 2>&1; then
  if sudo -n true </dev/null >/dev/null 2>&1; then say sudo passwordless; else say sudo password; fi
else say sudo none; fi
`

// A lock is seen in /proc/locks by the inode of its file, which needs no root.
const moreQuestions = `release() { sed -n "s/^$1=//p" /etc/os-release 2>/dev/null | tr -d '"'; }
say os "$(release ID) $(release VERSION_ID)"
command -v sw_vers >/dev/null 2>&1 && say os "macOS $(sw_vers -productVersion)"
if [ -S "/run/user/$(id -u)/systemd/private" ]; then say services systemd-user
elif [ -d /run/systemd/system ]; then say services systemd
elif command -v launchctl >/dev/null 2>&1; then say services launchd
elif [ -d /run/openrc ]; then say services openrc
else say services none; fi
if command -v apt-get >/dev/null 2>&1; then
  apt=free
  for f in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock; do
    inode=$(ls -id "$f" 2>/dev/null | { read -r i _; echo "$i"; })
    [ -n "$inode" ] && grep -q ":$inode " /proc/locks 2>/dev/null && apt=locked
  done
  say apt "$apt"
fi
sed -n 's|^[^ ]* [^ ]* [^ ]* 00010000 0001 [^ ]* *[0-9]* \\(/.*\\)|\\1|p' /proc/net/unix 2>/dev/null |
  { n=0; while [ "$n" -lt 3 ] && read -r s; do [ -S "$s" ] && [ -w "$s" ] && { say socket "$s"; n=$((n + 1)); }; done; }
`

/** Facts out of the script's output; undefined when it is not that output. */
export function parseFacts(output: string): HostFacts | undefined {
  const said = new Map<string, string[]>()
  for (const [, key, value] of output.matchAll(/^cpn-fact (\w+)=(.*)$/gm)) {
    said.getOrInsertComputed(key!, () => []).push(value!.trim())
  }
  const one = (key: string) => said.get(key)?.[0] ?? ''
  const number = (key: string) => Number(one(key)) || 0
  if (!said.has('time') || !one('home').startsWith('/')) return undefined
  return {
    system: one('system'),
    machine: one('machine'),
    bits: number('bits') || 64,
    libc: libcOf(one('libc'), said.has('musl')),
    cpuFlags: one('flags').split(' ').filter(Boolean),
    cores: number('cores'),
    memoryBytes: number('memory') || number('memoryKb') * 1024,
    user: one('user'),
    uid: number('uid'),
    home: one('home'),
    dir: one('dir').replace(/(.)\/+$/, '$1'),
    dirOwner: ownerOf(one('dirOwner')),
    near: {
      path: one('near'),
      writable: one('writable') === 'yes',
      mountOptions: one('mount').split(',').filter(Boolean),
      freeBytes: freeBytes(one('disk')),
      freeInodes: freeInodes(one('inodes')),
    },
    tools: said.get('tool') ?? [],
    libraries: said.get('library') ?? [],
    sudo: one('uid') === '0' ? 'root' : ((one('sudo') || 'unasked') as HostFacts['sudo']),
    time: number('time'),
    ancestors: one('ancestors').split(' ').map(Number).filter(Boolean),
    ...(said.has('services') && { more: moreOf(said) }),
  }
}

function moreOf(said: Map<string, string[]>): MoreFacts {
  return {
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
