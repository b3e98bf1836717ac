import { spawnSync } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { homedir, release } from 'node:os'
import { dirname, join } from 'node:path'
import type { NodeCard } from '../../protocol/messages.ts'
import type { WorkerLimits } from '../limits.ts'

/** What the kernel does about a worker, as far as the host offers it without root. */
export interface Confinement {
  /** Command line that the worker's own is put behind. Each program in it becomes the next: the pid is the worker's. */
  launcher: string[]
  isolation: Pick<NodeCard['isolation'], 'network' | 'files' | 'noNewPrivileges' | 'limits'>
}

/** Folders a worker needs, absolute and without links. */
export interface WorkerFolders {
  /** Read by the worker. */
  readable: string[]
  /** Not to be seen by it, except for readable folders inside. */
  hidden: string[]
}

type Way = 'files' | 'network' | 'privileges' | 'limits'

/** From strongest to weakest. */
const ways: Way[] = ['files', 'network', 'privileges', 'limits']
const programFolders = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/run/current-system/sw/bin']
const patienceMs = 10_000

/**
 * Finds the strongest confinement that works on this host by running the program in it.
 * @param runtime the program that workers run, absolute
 */
export function findConfinement(runtime: string, folders: WorkerFolders, limits: WorkerLimits): Confinement {
  for (const way of ways) {
    const launcher = launcherOf(way, folders, limits)
    if (launcher && works([...launcher, runtime, '--version'])) return { launcher, isolation: isolationOf(way, limits) }
  }
  return { launcher: [], isolation: { network: networkOf(false), files: false, noNewPrivileges: false, limits: {} } }
}

/** The folders of a worker of the release and the models; `home` is what holds both. */
export function workerFolders(releaseDir: string, modelsDir: string): WorkerFolders {
  const runtime = dirname(process.execPath)
  const readable = [releaseDir, join(releaseDir, 'node_modules'), modelsDir, runtime].map(real)
  // Sockets of other programs, secrets of this user: what code that has broken out would look for first.
  const hidden = [homedir(), dirname(modelsDir), '/run', '/tmp', '/var/tmp', '/dev/shm'].filter(existsSync).map(real)
  return { readable: outermost(readable), hidden: outermost(hidden.filter((path) => path !== '/')) }
}

function isolationOf(way: Way, { processes, ...limits }: WorkerLimits): Confinement['isolation'] {
  const ownNamespace = way === 'files' || way === 'network'
  return {
    network: networkOf(ownNamespace),
    files: way === 'files',
    noNewPrivileges: way !== 'limits',
    limits: ownNamespace && countsByNamespace() ? { ...limits, processes } : limits,
  }
}

function launcherOf(way: Way, { readable, hidden }: WorkerFolders, limits: WorkerLimits): string[] | undefined {
  if (way === 'limits') return ['/bin/sh', '-c', script(limits, false), 'cpn-worker']
  const setpriv = find('setpriv')
  if (!setpriv) return undefined
  if (way === 'privileges') return [...launcherOf('limits', { readable, hidden }, limits)!, setpriv, '--no-new-privs']
  const unshare = find('unshare')
  if (!unshare) return undefined
  // Root in its own user namespace, and of nothing in it once the last capability is dropped.
  const own = [unshare, '--user', '--map-root-user', '--net', ...(way === 'files' ? ['--mount'] : []), '/bin/sh', '-c']
  const drop = [setpriv, '--bounding-set=-all', '--inh-caps=-all', '--no-new-privs']
  const mounts = way === 'files' ? hidingScript(readable, hidden) : ''
  return [...own, `${mounts}${script(limits, true)}`, 'cpn-worker', ...drop]
}

/**
 * Empty folders in the place of the hidden ones, and in them those that are needed, read-only. `$0` and the arguments are
 * left as they are.
 */
function hidingScript(readable: string[], hidden: string[]): string {
  const needed = readable.filter((path) => hidden.some((folder) => isWithin(path, folder)))
  // /dev/shm is never where a release is: what is needed is kept there while its place is covered.
  const kept = needed.map((path, index) => ({ path, at: `/dev/shm/${index}` }))
  return [
    'set -e; PATH=/usr/bin:/bin:/usr/sbin:/sbin:/run/current-system/sw/bin',
    emptyFolder('/dev/shm'),
    ...kept.map(({ path, at }) => `mkdir ${at}; mount --rbind ${quote(path)} ${at}`),
    ...hidden.filter((folder) => folder !== '/dev/shm').map((folder) => emptyFolder(folder)),
    ...kept.map(({ path, at }) => {
      const bind = `mkdir -p ${quote(path)}; mount --rbind ${at} ${quote(path)}`
      return `${bind}; mount -o remount,bind,ro,nosuid,nodev ${quote(path)}; umount -l ${at}`
    }),
    'set +e\n',
  ].join('\n')
}

function emptyFolder(path: string): string {
  return `mount -t tmpfs -o size=64k,nr_inodes=256,mode=755 none ${quote(path)}`
}

/** Sets limits, makes the worker the first to go when memory runs out, and becomes its arguments. */
function script(
  { coreBytes, fileBytes, openFiles, dataBytes, processes }: WorkerLimits,
  ownNamespace: boolean,
): string {
  const limits = [`-c ${coreBytes}`, `-f ${fileBytes}`, `-n ${openFiles}`, `-d ${Math.floor(dataBytes / 1024)}`]
  return [
    // One that fails is lower already.
    ...limits.map((limit) => `ulimit ${limit} 2>/dev/null`),
    // Shells call it by two names.
    ...(ownNamespace && countsByNamespace()
      ? [`{ ulimit -u ${processes} || ulimit -p ${processes}; } 2>/dev/null`]
      : []),
    'echo 500 2>/dev/null >/proc/self/oom_score_adj',
    'exec "$@"',
  ].join('\n')
}

/** Since Linux 5.14 a limit of processes counts those of the user namespace; before, all that the user has. */
function countsByNamespace(): boolean {
  const [major = 0, minor = 0] = release().split('.').map(Number)
  return major > 5 || (major === 5 && minor >= 14)
}

function works([program = '', ...args]: string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore', env: {}, cwd: '/', timeout: patienceMs }).status === 0
}

/** systemd's sandbox, and some containers, let nobody make sockets that lead off the host. */
function networkOf(ownNamespace: boolean): NodeCard['isolation']['network'] {
  if (ownNamespace) return 'namespace'
  const socket = "require('node:dgram').createSocket('udp4')"
  const tries = `${socket}.once('error', () => process.exit(7)).bind(0, '127.0.0.1', () => process.exit(0))`
  return spawnSync(process.execPath, ['-e', tries], { stdio: 'ignore' }).status === 7 ? 'filter' : 'open'
}

function find(program: string): string | undefined {
  return programFolders.map((folder) => join(folder, program)).find((path) => existsSync(path))
}

function real(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

function outermost(paths: string[]): string[] {
  const all = [...new Set(paths)]
  return all.filter((path) => !all.some((other) => other !== path && isWithin(path, other)))
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`)
}

function quote(path: string): string {
  return `'${path.replaceAll("'", "'\\''")}'`
}
