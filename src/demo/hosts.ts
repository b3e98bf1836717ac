import { mkdir } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { reasonOf } from '../common/errors.ts'
import { endProcessesOf } from './processes.ts'
import { makeKey, sshdFolder, sshdProgram, startSshd } from './sshd.ts'

export const hostNames = ['node1', 'node2', 'node3']

/** The hosts of a demo. */
export interface DemoHosts {
  transport: 'ssh' | 'local'
  /** What they are, in words. */
  told: string
  /** For each, what `cpn hosts add` is given. */
  adds: string[][]
}

/**
 * Three hosts: real SSH servers on loopback where OpenSSH's is installed and lets this user in, else this machine three times
 * without SSH.
 * @param folder absolute; what hosts hold is below it
 */
export async function makeHosts(folder: string): Promise<DemoHosts> {
  if (sshdProgram() === undefined) return localHosts(folder, 'OpenSSH’s server is not installed')
  try {
    return await sshHosts(folder)
  } catch (error) {
    await endProcessesOf([sshdFolder(folder)])
    return localHosts(folder, `OpenSSH’s server does not do here: ${reasonOf(error)}`)
  }
}

async function sshHosts(folder: string): Promise<DemoHosts> {
  const key = await makeKey(join(folder, 'fleet', 'id_demo'))
  const starting = hostNames.map((name) => startSshd(folder, name, key))
  // What is still about to start could not be ended.
  await Promise.allSettled(starting)
  const servers = await Promise.all(starting)
  const { username } = userInfo()
  const adds = servers.map(({ name, port, fingerprint }) => [
    ...['hosts', 'add', name, '--address', '127.0.0.1', '--port', String(port), '--user', username],
    ...['--identity-file', 'id_demo', '--host-key', fingerprint, '--workers', '1'],
  ])
  return { transport: 'ssh', told: 'three real SSH servers on loopback, with keys of their own', adds }
}

async function localHosts(folder: string, why: string): Promise<DemoHosts> {
  const adds = await Promise.all(
    hostNames.map(async (name) => {
      await mkdir(join(folder, name), { recursive: true, mode: 0o700 })
      const dir = join(folder, name, '.cpn')
      return ['hosts', 'add', name, '--transport', 'local', '--remote-dir', dir, '--workers', '1']
    }),
  )
  return { transport: 'local', told: `this machine three times without SSH, because ${why}`, adds }
}
