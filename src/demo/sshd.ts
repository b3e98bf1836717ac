import { execFile, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { copyFile, mkdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import { endProcessesOf, listProcesses } from './processes.ts'

const run = promisify(execFile)
const address = '127.0.0.1'
const programs = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/opt/homebrew/sbin/sshd']
const sftpServers = ['/usr/lib/openssh/sftp-server', '/usr/libexec/openssh/sftp-server', '/usr/libexec/sftp-server']
/** What an sshd that runs as root wants to have; it is empty. */
const privilegeFolder = '/run/sshd'
/** Says that it was not there before. */
const madeMark = 'made-privilege-folder'
const readyMs = 10_000
const tries = 3

/** Where keys and configurations of the servers are. */
export const sshdFolder = (folder: string): string => join(folder, 'sshd')

/** OpenSSH's server, where it is installed. */
export const sshdProgram = (): string | undefined => programs.find((path) => existsSync(path))

export interface DemoSshd {
  name: string
  port: number
  /** SHA256:… */
  fingerprint: string
}

/** Makes a key pair for this demo alone. @returns path of the private key */
export async function makeKey(file: string): Promise<string> {
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'cpn demo', '-f', file])
  return file
}

/**
 * Starts an sshd on loopback with a host key of its own, that lets in this user with this key alone, into a home of its own
 * below the folder. It runs until it is ended. Rejects with the reason where nobody can log in.
 */
export async function startSshd(folder: string, name: string, key: string): Promise<DemoSshd> {
  const home = join(folder, name)
  await mkdir(home, { mode: 0o700 })
  const place = join(sshdFolder(folder), name)
  await mkdir(place, { recursive: true, mode: 0o700 })
  const hostKey = await makeKey(join(place, 'host_key'))
  await copyFile(`${key}.pub`, join(place, 'authorized_keys'))
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    const started = await start(place, home, port)
    if (started === undefined) {
      await logIn(place, home, port, key)
      const { stdout } = await run('ssh-keygen', ['-lf', `${hostKey}.pub`])
      return { name, port, fingerprint: stdout.split(' ')[1]! }
    }
    if (attempt === tries) throw new Error(started)
  }
}

/** Ends the servers of a demo; what they needed elsewhere goes, unless another server needs it now. */
export async function endSshd(folder: string): Promise<void> {
  const place = sshdFolder(folder)
  await endProcessesOf([place])
  if (!existsSync(join(place, madeMark))) return
  if (listProcesses().some(({ command }) => /^(?:\/\S*\/)?sshd\b/.test(command))) return
  await rmdir(privilegeFolder).catch(() => {})
}

/** Undefined once it listens, else the reason why it does not. */
async function start(place: string, home: string, port: number): Promise<string | undefined> {
  if (process.getuid?.() === 0) {
    const made = await mkdir(privilegeFolder, { recursive: true, mode: 0o755 })
    if (made !== undefined) await writeFile(join(dirname(place), madeMark), '')
  }
  const config = join(place, 'sshd_config')
  await writeFile(config, configOf(place, home, port))
  const logFile = join(place, 'log')
  const log = openSync(logFile, 'a', 0o600)
  // A group of its own: Ctrl-C is for the commands, which still need it then.
  const child = spawn(sshdProgram()!, ['-D', '-e', '-f', config], { detached: true, stdio: ['ignore', 'ignore', log] })
  closeSync(log)
  child.unref()
  const failed = new Promise<string>((resolve) => {
    child.once('error', ({ message }) => resolve(message))
    child.once('exit', () => resolve('it ends at once'))
  })
  const deadline = performance.now() + readyMs
  while (performance.now() < deadline) {
    const ended = await Promise.race([failed, setTimeout(20)])
    const said = await readFile(logFile, 'utf8')
    if (said.includes(`on ${address} port ${port}`)) return undefined
    if (ended !== undefined) return said.trim().split('\n').at(-1) || String(ended)
  }
  return `it is not ready after ${readyMs / 1000} s`
}

function configOf(place: string, home: string, port: number): string {
  const nowhere = join(place, 'nothing')
  // What keeps agents must not be the user's own systemd, which knows nothing of this home.
  const environment = { HOME: home, XDG_RUNTIME_DIR: nowhere, DBUS_SESSION_BUS_ADDRESS: `unix:path=${nowhere}` }
  const sftp = sftpServers.find((path) => existsSync(path))
  return [
    `ListenAddress ${address}:${port}`,
    `HostKey "${join(place, 'host_key')}"`,
    `AuthorizedKeysFile "${join(place, 'authorized_keys')}"`,
    `AllowUsers ${userInfo().username}`,
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    // The folder is in one that everybody may write to.
    'StrictModes no',
    'UsePAM no',
    'UseDNS no',
    'PidFile none',
    'PrintMotd no',
    'PrintLastLog no',
    `SetEnv ${Object.entries(environment)
      .map(([name, value]) => `"${name}=${value}"`)
      .join(' ')}`,
    // A login begins in the account's home, whatever HOME says.
    `ForceCommand cd "${home}" && if [ -n "$SSH_ORIGINAL_COMMAND" ]; then exec "$SHELL" -c "$SSH_ORIGINAL_COMMAND"; else exec "$SHELL"; fi`,
    ...(sftp ? [`Subsystem sftp ${sftp}`] : []),
    '',
  ].join('\n')
}

/** Tries a login by OpenSSH's own client: accounts may be locked or have no shell. */
async function logIn(place: string, home: string, port: number, key: string): Promise<void> {
  const hostKey = (await readFile(join(place, 'host_key.pub'), 'utf8')).split(' ').slice(0, 2).join(' ')
  const known = join(place, 'known_hosts')
  await writeFile(known, `[${address}]:${port} ${hostKey}\n`)
  const settings = ['BatchMode=yes', 'IdentitiesOnly=yes', 'StrictHostKeyChecking=yes', 'GlobalKnownHostsFile=none']
  const options = [...settings, `UserKnownHostsFile="${known}"`, 'ConnectTimeout=10'].flatMap((each) => ['-o', each])
  const to = ['-i', key, '-p', String(port), `${userInfo().username}@${address}`]
  const { stdout } = await run('ssh', ['-F', 'none', ...options, ...to, 'echo "$HOME"'], { timeout: readyMs }).catch(
    (error: { stderr?: string }) => {
      throw new Error(error.stderr?.trim().split('\n').at(-1) || 'nobody can log in')
    },
  )
  if (stdout.trim() !== home) throw new Error('a login ends up elsewhere')
}

async function freePort(): Promise<number> {
  const server = createServer()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject).listen(0, address, resolve)
  await promise
  const { port } = server.address() as { port: number }
  await new Promise((closed) => server.close(closed))
  return port
}
