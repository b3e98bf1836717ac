import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { SshdHost } from '../../test/helpers/sshd.ts'

/** Options for ssh and scp with a test host: its key, and nothing of the user's own configuration. */
export function opensshOptions({ identityFile }: SshdHost): string[] {
  const plain = ['-F', '/dev/null', '-i', identityFile, '-o', 'IdentitiesOnly=yes', '-o', 'BatchMode=yes']
  return [...plain, '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR']
}

/** Copies an archive into the host's home and unpacks it there. */
export async function scpAndUnpack(host: SshdHost, archive: string): Promise<void> {
  const options = opensshOptions(host)
  const { address, port, user } = host
  await run('scp', ['-q', ...options, '-P', `${port}`, archive, `${user}@${address}:release.tar.gz`])
  const unpack = 'mkdir -p release && tar -xzf release.tar.gz -C release'
  await run('ssh', [...options, '-p', `${port}`, `${user}@${address}`, unpack])
}

async function run(program: string, args: string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`${program} ended with ${code}`)
}
