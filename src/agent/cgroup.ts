import { dirname, join } from 'node:path'
import type { Limits, ReadText } from './limits.ts'

/** A cgroup of this process as a folder, with the mount it lies under. */
interface Group {
  mount: string
  folder: string
}

/** The tightest limits along the process's cgroups, versions 1 and 2; Infinity where nothing limits. */
export function cgroupLimits(read: ReadText): Limits {
  const groups = parseGroups(read('/proc/self/cgroup') ?? '', read('/proc/self/mountinfo') ?? '')
  const tightest = (controller: string, limitOf: (folder: string) => number) =>
    Math.min(
      ...[groups.get(''), groups.get(controller)]
        .filter((group) => group !== undefined)
        .flatMap(upwards)
        .map(limitOf),
    )
  return {
    cores: tightest('cpu', (folder) => Math.min(quotaV2(folder, read), quotaV1(folder, read))),
    memoryBytes: tightest('memory', (folder) =>
      Math.min(bytes(read(join(folder, 'memory.max'))), bytes(read(join(folder, 'memory.limit_in_bytes')))),
    ),
  }
}

/** By controller; '' is the one group of version 2. */
function parseGroups(cgroup: string, mountinfo: string): Map<string, Group> {
  const mounts = parseMounts(mountinfo)
  const groups = new Map<string, Group>()
  for (const [, controllers = '', path = '/'] of cgroup.matchAll(/^\d+:([^:]*):(.*)$/gm)) {
    for (const controller of controllers.split(',')) {
      const mount = mounts.get(controller)
      if (mount) groups.set(controller, { mount: mount.point, folder: join(mount.point, below(mount.root, path)) })
    }
  }
  return groups
}

/** In a container the mount may show a part of the tree only: `root` is where that part begins. */
function below(root: string, path: string): string {
  if (path.startsWith('/..')) return '/'
  if (root === '/') return path
  return path === root || path.startsWith(`${root}/`) ? path.slice(root.length) : '/'
}

function parseMounts(mountinfo: string): Map<string, { root: string; point: string }> {
  const mounts = new Map<string, { root: string; point: string }>()
  const line = /^\d+ \d+ \S+ (\S+) (\S+) .* - (cgroup2?) \S+ (\S+)$/gm
  for (const [, root = '/', point = '', type, options = ''] of mountinfo.matchAll(line)) {
    for (const name of type === 'cgroup2' ? [''] : options.split(',')) mounts.set(name, { root, point })
  }
  return mounts
}

function upwards({ mount, folder }: Group): string[] {
  if (folder === mount || !folder.startsWith(mount)) return [mount]
  return [folder.replace(/\/$/, ''), ...upwards({ mount, folder: dirname(folder) })]
}

function quotaV2(folder: string, read: ReadText): number {
  const [quota, period] = (read(join(folder, 'cpu.max')) ?? 'max').trim().split(' ')
  return quota === 'max' ? Infinity : Number(quota) / Number(period ?? 100_000)
}

function quotaV1(folder: string, read: ReadText): number {
  const quota = Number(read(join(folder, 'cpu.cfs_quota_us')) ?? -1)
  return quota > 0 ? quota / Number(read(join(folder, 'cpu.cfs_period_us')) ?? 100_000) : Infinity
}

function bytes(text: string | undefined): number {
  return text === undefined || text.trim() === 'max' ? Infinity : Number(text)
}
