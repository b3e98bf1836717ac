import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync } from 'node:fs'
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

/** Copies a file or folder to a path in the host's home. */
export async function scpTo(host: SshdHost, source: string, to: string, cipher?: string): Promise<void> {
  const { address, port, user } = host
  const options = [...opensshOptions(host), ...(cipher ? ['-c', cipher] : [])]
  await run('scp', ['-q', '-p', '-r', ...options, '-P', `${port}`, source, `${user}@${address}:${to}`])
}

/** The same with rsync; a folder's contents go into a folder of that name. */
export async function rsyncTo(host: SshdHost, source: string, to: string): Promise<void> {
  const { address, port, user } = host
  const shell = ['ssh', ...opensshOptions(host), '-p', `${port}`].join(' ')
  const contents = statSync(source).isDirectory() ? `${source}/` : source
  await run('rsync', ['-rpt', '--whole-file', '-e', shell, contents, `${user}@${address}:${to}`])
}

async function run(program: string, args: string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`${program} ended with ${code}`)
}
