import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { SshdHost } from './sshd.ts'

const run = promisify(execFile)

/** stdout of a command on a test host, by OpenSSH's own client, with the host's key pinned. Rejects when it fails. */
export async function openssh(host: SshdHost, command: string): Promise<string> {
  const pin = `KnownHostsCommand=/bin/echo "${host.knownHostsLine('pinned')}"`
  const strict = ['StrictHostKeyChecking=yes', 'UserKnownHostsFile=none', 'HostKeyAlias=pinned', 'BatchMode=yes', pin]
  const options = ['-F', 'none', ...strict.map((option) => `-o${option}`), '-i', host.identityFile]
  const to = ['-p', `${host.port}`, `${host.user}@${host.address}`]
  const { stdout } = await run('ssh', [...options, ...to, command])
  return stdout
}
