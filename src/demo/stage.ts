import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, statfs, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { CpnError, reasonOf } from '../common/errors.ts'
import { formatBytes } from '../common/format.ts'
import { maxSocketPathBytes } from '../protocol/paths.ts'
import { hostNames } from './hosts.ts'
import { endProcessesOf } from './processes.ts'
import { endSshd } from './sshd.ts'

const prefix = 'cpn-demo-'
const markName = 'demo.json'
const format = 'cpn demo 1'

/** A folder with everything that a demo makes: hosts, keys, inventory, state, caches, photos. */
export interface Stage {
  /** Absolute. */
  readonly folder: string
  /** The inventory's folder, in which commands run. */
  readonly fleet: string
  /** What commands run with: they read and write nothing of this user's own. */
  readonly env: NodeJS.ProcessEnv
  /** Leaves everything as it is. */
  keep(): void
  /** Ends all processes and removes the folder. */
  end(): Promise<void>
}

/** Room that a demo wants at most, for three hosts and their photos. */
const neededBytes = 1e9
export const otherFolder =
  'Set TMPDIR to a folder with 1 GB of room, from whose disk programs may run; then the same again.'

/**
 * Makes a folder for a demo, and a watcher that takes it away when this process is gone, whatever ended it. Rejects with
 * CPN_ERR_DEMO where there is no room for one.
 * @param program command line of cpn
 */
export async function makeStage(program: readonly string[]): Promise<Stage> {
  const folder = await makeFolder(shortTemporaryFolder())
  const fleet = join(folder, 'fleet')
  const home = join(folder, 'home')
  for (const each of [fleet, join(home, '.ssh')]) await mkdir(each, { recursive: true, mode: 0o700 })
  await writeFile(join(home, '.ssh', 'config'), '')
  await writeFile(join(folder, markName), JSON.stringify({ format }))
  const env = environment(home)
  const watcher = watch(folder, program, env)
  return {
    folder,
    fleet,
    env,
    keep: () => watcher.release(),
    end: async () => {
      await endStage(folder)
      watcher.release()
    },
  }
}

async function makeFolder(parent: string): Promise<string> {
  try {
    const { bavail, bsize } = await statfs(parent)
    const free = bavail * bsize
    if (free < neededBytes) throw unfit(`${parent} has ${formatBytes(free)} free`)
    return await mkdtemp(join(parent, prefix))
  } catch (error) {
    throw error instanceof CpnError ? error : unfit(`${parent} cannot be used: ${reasonOf(error)}`, error)
  }
}

function unfit(reason: string, cause?: unknown): CpnError {
  return new CpnError('CPN_ERR_DEMO', `there is no room for a demo: ${reason}`, { cause, suggestions: [otherFolder] })
}

/** Ends what a demo has left running and removes its folder. Throws CPN_ERR_USAGE for any other folder. */
export async function endDemo(path: string): Promise<void> {
  const folder = resolve(path)
  const mark = await readFile(join(folder, markName), 'utf8').catch(() => '')
  if (!basename(folder).startsWith(prefix) || mark !== JSON.stringify({ format })) {
    throw new CpnError('CPN_ERR_USAGE', `${folder} is no folder of a demo`, {
      suggestions: ['Name the folder that `cpn demo --keep` has told.'],
    })
  }
  await endStage(folder)
}

async function endStage(folder: string): Promise<void> {
  await endProcessesOf(hostNames.map((name) => join(folder, name)))
  await endSshd(folder)
  // By the mark the folder is known for a demo's until nothing else is in it: whatever ends this can be followed by another.
  for (const name of await readdir(folder).catch(() => [])) if (name !== markName) await remove(join(folder, name))
  await remove(folder)
}

const remove = (path: string): Promise<void> => rm(path, { recursive: true, force: true, maxRetries: 5 })

/** The longest folder below which sockets of agents have paths that systems take. */
const longestFolder =
  maxSocketPathBytes.darwin - '/cpn-demo-123456/node1/.cpn/fleets/123456789012/run/agent.sock'.length

function shortTemporaryFolder(): string {
  const usual = tmpdir()
  return Buffer.byteLength(usual) > longestFolder && existsSync('/tmp') ? '/tmp' : usual
}

function environment(home: string): NodeJS.ProcessEnv {
  const kept = [
    ...['PATH', 'LANG', 'LC_ALL', 'TERM', 'COLORTERM', 'NO_COLOR', 'FORCE_COLOR', 'TZ', 'TMPDIR'],
    ...['CPN_DEBUG', 'CPN_TEST_RUN', 'CPN_TIMEOUT_SCALE'],
  ]
  const nowhere = join(home, 'nothing')
  return {
    ...Object.fromEntries(kept.map((name) => [name, process.env[name]])),
    HOME: home,
    XDG_CONFIG_HOME: join(home, '.config'),
    XDG_DATA_HOME: join(home, '.local', 'share'),
    XDG_STATE_HOME: join(home, '.local', 'state'),
    XDG_CACHE_HOME: join(home, '.cache'),
    CPN_SSH_CONFIG: join(home, '.ssh', 'config'),
    // What keeps agents must not be the user's own systemd.
    XDG_RUNTIME_DIR: nowhere,
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${nowhere}`,
    // bin/run.js ends a command when whoever started it so is gone.
    CPN_STARTED_BY: String(process.pid),
  }
}

/** A shell of its own group that waits for the end of this process, unless it is told that there is nothing to do. */
function watch(folder: string, program: readonly string[], env: NodeJS.ProcessEnv): { release(): void } {
  const script = 'if ! read -r line; then exec "$@"; fi'
  const child = spawn('/bin/sh', ['-c', script, 'sh', ...program, 'demo', '--end', folder], {
    detached: true,
    env,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  child.on('error', () => {})
  child.stdin.on('error', () => {})
  child.unref()
  return { release: () => void child.stdin.end('done\n') }
}
