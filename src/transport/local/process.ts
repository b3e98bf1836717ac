import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { homedir } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import { CpnError } from '../../common/errors.ts'
import { withLifeline } from '../lifeline.ts'
import type { RemoteProcess } from '../transport.ts'

/** Descriptor of the pipe whose end ends the process group: closed by destroy(), or by the death of this process. */
const lifelineDescriptor = 3

/** Runs a script in a shell and process group of its own, in the home folder as a login would. */
export async function spawnShell(script: string, host: string): Promise<RemoteProcess> {
  const child = spawn('/bin/sh', ['-c', withLifeline(script, lifelineDescriptor)], {
    cwd: homedir(),
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  })
  const started = once(child, 'spawn')
  const exited = new Promise<{ exitCode: number | null; signal: string | null }>((resolve) => {
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal }))
  })
  try {
    await started
  } catch (cause) {
    throw new CpnError('CPN_ERR_REMOTE_COMMAND', `cannot run /bin/sh: ${(cause as Error).message}`, { host, cause })
  }
  const lifeline = child.stdio[lifelineDescriptor] as Writable
  lifeline.on('error', () => undefined)
  const [stdin, stdout, stderr] = child.stdio as unknown as [Writable, Readable, Readable]
  // A command may end before it has read its stdin.
  stdin.on('error', () => undefined)
  return { stdin, stdout, stderr, exited, destroy: () => void lifeline.destroy() }
}
