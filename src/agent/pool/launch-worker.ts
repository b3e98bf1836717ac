import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { setPriority } from 'node:os'
import { join } from 'node:path'

/** Where a worker's files are: absolute paths. */
export interface WorkerFiles {
  /** Folder of the release: agent/worker.mjs, fonts/ and node_modules/ lie in it. */
  releaseDir: string
  modelsDir: string
}

/** What the native libraries look at to know the machine. */
const systemFiles = ['/proc', '/sys', '/etc/alpine-release']

/**
 * Starts a worker that JavaScript-wise can read its release and the models, and nothing else of the host.
 * @param launcher of a Confinement: what keeps native code in as well
 */
export function launchWorker(files: WorkerFiles, nice: number, launcher: string[]): ChildProcess {
  const releaseDir = realpathSync(files.releaseDir)
  const modelsDir = existsSync(files.modelsDir) ? realpathSync(files.modelsDir) : files.modelsDir
  const flags = permissionFlags([releaseDir, realpathSync(join(releaseDir, 'node_modules')), modelsDir])
  const folders = ['--models-dir', modelsDir, '--fonts-dir', join(releaseDir, 'fonts')]
  const [program = '', ...args] = [
    ...launcher,
    process.execPath,
    ...flags,
    join(releaseDir, 'agent', 'worker.mjs'),
    ...folders,
  ]
  const child = spawn(program, args, {
    // The last one is the pipe that jobs come through.
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    cwd: '/',
    // Ctrl-C in the supervisor's terminal drains; it must not reach the workers.
    detached: true,
    // glibc grows one heap per thread otherwise and never gives it back; libvips puts large pictures into temporary files.
    env: { MALLOC_ARENA_MAX: '2', VIPS_DISC_THRESHOLD: '64g', ...libraryPath() },
  })
  if (child.pid !== undefined) yieldToOthers(child.pid, nice)
  return child
}

/** bin/cpn-agent sets it where the host lacks a library that the runtime needs. */
function libraryPath(): NodeJS.ProcessEnv {
  const { LD_LIBRARY_PATH } = process.env
  return LD_LIBRARY_PATH ? { LD_LIBRARY_PATH } : {}
}

export function permissionFlags(folders: string[]): string[] {
  const readable = [...new Set(folders), ...systemFiles]
  // The warning says that native code is not restrained, as docs/protocol.md does.
  return [
    '--permission',
    '--allow-addons',
    '--disable-warning=PERM0001',
    ...readable.map((path) => `--allow-fs-read=${path}`),
  ]
}

// Threads inherit niceness from the one that makes them. On a busy host Node.js may have made some before this comes.
function yieldToOthers(pid: number, nice: number): void {
  try {
    setPriority(pid, nice)
    for (const thread of readdirSync(`/proc/${pid}/task`)) setPriority(Number(thread), nice)
  } catch {}
}
