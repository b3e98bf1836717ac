import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { SshdHost } from './sshd.ts'

/** Reason for leaving a test out that mounts something on a host; false where it can. */
export const mountMissing: string | false =
  spawnSync('unshare', ['--mount', 'true']).status === 0 ? false : 'needs to mount'

const busybox = '/usr/bin/busybox'

/** Makes a running host strange; what it returns is called at the end. */
export type Prepare = (host: SshdHost) => (() => void) | undefined

/** A small disk at ~/disk. */
export function smallDisk(options: string): Prepare {
  return ({ home, uid }) => {
    const disk = join(home, 'disk')
    mkdirSync(disk)
    execFileSync('mount', ['-t', 'tmpfs', '-o', `${options},uid=${uid}`, 'tmpfs', disk])
    return () => void execFileSync('umount', [disk])
  }
}

/** The home mounted in another way. */
export function homeMounted(option: string): Prepare {
  return ({ home }) => {
    execFileSync('mount', ['--bind', home, home])
    execFileSync('mount', ['-o', `remount,bind,${option}`, home])
    return () => void execFileSync('umount', [home])
  }
}

/** Runs a program on the account of the host's user. */
export function changeAccount(program: string, ...args: string[]): Prepare {
  return ({ user }) => void execFileSync(program, [...args, user])
}

/** For a host with `SetEnv PATH=/mnt`: in mounts of its own /bin/sh is busybox, and all other programs are. */
export function busyboxOnly(): string[] {
  const shell = `${busybox} --install -s /mnt && mount --bind ${busybox} "$(readlink -f /bin/sh)"`
  return inOwnMounts(`mount -t tmpfs tmpfs /mnt && ${shell}`)
}

export const busyboxMissing: string | false = missing(busybox)

/** For a host where another package manager holds the lock of apt. */
export function aptLocked(): string[] {
  const lock = '/var/lib/dpkg/lock-frontend'
  return inOwnMounts(
    `mount -t tmpfs tmpfs /var/lib/dpkg
    setpriv --pdeathsig KILL sh -c 'exec 9>${lock}; flock 9; exec sleep 1000' >/dev/null 2>&1 &
    while ! grep -q ":$(ls -i ${lock} 2>/dev/null | cut -d' ' -f1) " /proc/locks; do :; done; true`,
  )
}

const faketime = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/faketime/libfaketime.so.1`

/** Line of sshd_config for a host whose clock is a year late. */
export const yearLate = `SetEnv LD_PRELOAD=${faketime} FAKETIME=-365d FAKETIME_DONT_FAKE_MONOTONIC=1`
/** The same for a host whose clock goes by ~/.faketimerc, e.g. `+3600`, which is looked at every second. */
export const clockOfFile = `SetEnv LD_PRELOAD=${faketime} FAKETIME_CACHE_DURATION=1 FAKETIME_DONT_FAKE_MONOTONIC=1`
export const faketimeMissing: string | false = missing(faketime)

function inOwnMounts(script: string): string[] {
  return ['unshare', '--mount', '--propagation', 'private', '/bin/sh', '-c', `${script} && exec "$@"`, 'strange-host']
}

function missing(file: string): string | false {
  return existsSync(file) ? false : `needs ${file}`
}
