// What a test run may not leave behind: processes, temporary folders, mounts.
import { readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

const graceMs = 3000
const pollMs = 100

/**
 * Finds what survived, ends and removes it, and describes it.
 * @param run value of CPN_TEST_RUN in the environment of everything the tests started
 * @param folder the run's own folder for temporary files
 */
export async function collectLeaks({ run, folder }) {
  const processes = await survivors(run, folder)
  for (const { pid } of processes) end(pid)
  const mounts = mountsUnder(folder)
  const folders = readdirSync(folder).filter((name) => name.startsWith('cpn-test-'))
  // Removing through a forgotten mount would remove what is mounted.
  if (mounts.length === 0) rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  return [
    ...processes.map(({ pid, command }) => `process ${pid}: ${command}`),
    ...folders.map((name) => `temporary folder ${join(folder, name)}`),
    ...mounts.map((mount) => `mount ${mount}`),
  ]
}

async function survivors(run, folder) {
  const deadline = Date.now() + graceMs
  for (;;) {
    const found = runningProcesses(run, folder)
    if (found.length === 0 || Date.now() > deadline) return found
    await wait(pollMs)
  }
}

// sshd writes its title over its environment, so its command line and working folder are looked at as well.
function runningProcesses(run, folder) {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((name) => ({ pid: Number(name), command: read(`/proc/${name}/cmdline`).replaceAll('\0', ' ').trim() }))
    .filter(({ pid, command }) => {
      const environment = read(`/proc/${pid}/environ`).split('\0')
      return environment.includes(`CPN_TEST_RUN=${run}`) || command.includes(`${folder}/`) || isInside(pid, folder)
    })
}

function isInside(pid, folder) {
  try {
    return readlinkSync(`/proc/${pid}/cwd`).startsWith(`${folder}/`)
  } catch {
    return false
  }
}

function mountsUnder(folder) {
  return read('/proc/self/mounts')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${folder}/`))
}

function end(pid) {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself meanwhile.
  }
}

function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
