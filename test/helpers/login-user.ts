import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { userInfo } from 'node:os'
import { dirname } from 'node:path'
import { belongsToHome, killAll, listProcesses, processStart, type TestProcess } from './processes.ts'

/** True where tests may make users of their own, which gives every host a login and processes apart from the rest. */
export const canMakeUsers = process.platform === 'linux' && process.getuid?.() === 0

export interface LoginUser {
  name: string
  uid: number
  gid: number
  home: string
  /** Living processes of this login, sessions and daemons alike. */
  processes(): TestProcess[]
  /** Kills its processes and, where it was made for the test, removes the account. Its home stays. */
  remove(): void
}

const prefix = 'cpn-t-'
// One of useradd and userdel at a time: a second one would sleep a second before it tries the lock again.
const lockFile = '/run/cpn-test-users.lock'

/** A user of its own when root, else the user who runs the tests, told apart by HOME. */
export function makeLoginUser(home: string, shell: string, password?: string): LoginUser {
  if (!canMakeUsers) return currentUser(home)
  const name = prefix + randomBytes(5).toString('hex')
  const owner = `cpn test of ${process.pid} ${processStart(process.pid)}`
  const noSubIds = ['-K', 'SUB_UID_COUNT=0', '-K', 'SUB_GID_COUNT=0']
  // `*` is no password but no lock either: without PAM sshd refuses a locked account's keys too.
  locked('useradd', '-M', '-l', '-U', ...noSubIds, '-d', home, '-s', shell, '-p', '*', '-c', owner, name)
  if (password !== undefined) execFileSync('flock', [lockFile, 'chpasswd'], { input: `${name}:${password}` })
  const account = accounts().find((entry) => entry.name === name)!
  const processes = (): TestProcess[] => listProcesses().filter(({ uid }) => uid === account.uid)
  return { ...account, home, processes, remove: () => removeUser(name, account.uid) }
}

/** Removes what tests that crashed have left: their users, processes and temporary folders. */
export function sweepStaleHosts(): void {
  for (const { name, uid, home, owner } of canMakeUsers ? accounts() : []) {
    if (!name.startsWith(prefix) || isOwnerAlive(owner)) continue
    removeUser(name, uid)
    if (/\/cpn-test-\w+\/home$/.test(home)) rmSync(dirname(home), { recursive: true, force: true })
  }
}

function currentUser(home: string): LoginUser {
  const { username: name, uid, gid } = userInfo()
  const isOfHost = (process: TestProcess): boolean => process.uid === uid && belongsToHome(process, home)
  const processes = (): TestProcess[] => listProcesses().filter(isOfHost)
  return { name, uid, gid, home, processes, remove: () => killAll(processes) }
}

/** userdel's exit code. */
const noSuchUser = 6

function removeUser(name: string, uid: number): void {
  // The part of a connection that runs as root is named after its user.
  killAll(() => listProcesses().filter((process) => process.uid === uid || process.command.startsWith(`sshd: ${name}`)))
  try {
    locked('userdel', '-f', name)
  } catch (error) {
    // Another process of the tests has swept it meanwhile.
    if ((error as { status?: number }).status !== noSuchUser) throw error
  }
}

function locked(...command: string[]): void {
  execFileSync('flock', [lockFile, ...command], { stdio: ['ignore', 'ignore', 'pipe'] })
}

function accounts(): { name: string; uid: number; gid: number; owner: string; home: string }[] {
  return readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name = '', , uid, gid, owner = '', home = '']) => ({
      name,
      uid: Number(uid),
      gid: Number(gid),
      owner,
      home,
    }))
}

function isOwnerAlive(owner: string): boolean {
  const [, pid, start] = /of (\d+) (\d+)$/.exec(owner) ?? []
  return pid !== undefined && processStart(Number(pid)) === start
}

/** Shells of /etc/shells and the usual places that are installed here. */
export function installedShells(): string[] {
  const names = new Set(readdirSync('/bin'))
  return ['sh', 'bash', 'csh', 'tcsh', 'fish', 'zsh'].filter((name) => names.has(name)).map((name) => `/bin/${name}`)
}
