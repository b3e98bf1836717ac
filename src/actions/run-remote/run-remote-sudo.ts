import { CpnError } from '../../common/errors.ts'
import { withLifeline } from '../../transport/lifeline.ts'
import { quote } from '../../transport/shell.ts'
import type { Transport } from '../../transport/transport.ts'

export interface SudoPassword {
  /** Asks the person, once. */
  password(): Promise<string>
}

export interface Root {
  /**
   * The script as root's. The user cannot end root's processes, so root ends them itself: when stdin ends, or where the
   * script has a stdin of its own, when the shell around sudo does.
   */
  wrap(script: string, hasStdin: boolean): string
  /** For sudo; comes first on stdin. */
  input: string
}

const probe = [
  'if [ "$(id -u)" = 0 ]; then echo root',
  'elif ! command -v sudo >/dev/null 2>&1; then echo none',
  'elif sudo -k -n true 2>/dev/null; then echo passwordless',
  'else echo password; fi',
].join('\n')

const sudoWithPassword = "sudo -S -k -p ''"

/** How scripts become root's on a host; undefined where the user is root. The password goes through stdin only. */
export async function becomeRoot(
  transport: Transport,
  { password }: SudoPassword,
  signal: AbortSignal,
): Promise<Root | undefined> {
  const { stdout } = await transport.exec(probe, { signal })
  const found = stdout.trim()
  if (found === 'root') return undefined
  if (found === 'none') throw refused(transport.host, 'the host has no sudo', 'Log in as root, or install sudo there.')
  if (found === 'passwordless') return { wrap: (script, hasStdin) => wrap('sudo -n', script, hasStdin), input: '' }
  const input = `${await password()}\n`
  // sudo asks again after a wrong password and would take the command's stdin for it.
  const check = await transport.exec(`${sudoWithPassword} true`, { signal, stdin: Buffer.from(input) })
  if (check.exitCode !== 0) {
    const said = check.stderr.trim().split('\n')[0] ?? ''
    const suggestion = 'Check the password, and that sudoers lets this user run commands.'
    throw refused(transport.host, `sudo refused the password${said === '' ? '' : `: ${said}`}`, suggestion)
  }
  return { wrap: (script, hasStdin) => wrap(sudoWithPassword, script, hasStdin), input }
}

/** The script under sudo, with a lifeline inside it. */
function wrap(sudo: string, script: string, hasStdin: boolean): string {
  if (!hasStdin) return `${sudo} /bin/sh -c ${quote(withLifeline(script))}`
  // sudo passes no descriptors on: a pipe with a name leads from the shell outside, which the user's guard ends.
  const inside = `exec 3<"$1/lifeline"; rm -f "$1/lifeline"; rmdir "$1"\n${withLifeline(script, 3)}`
  return [
    'folder=$(mktemp -d) && mkfifo -m 600 "$folder/lifeline" && exec 4<>"$folder/lifeline" || exit 1',
    `${sudo} /bin/sh -c ${quote(inside)} cpn "$folder" 4>&-`,
    'code=$?; rm -rf "$folder"; exit "$code"',
  ].join('\n')
}

function refused(host: string, message: string, suggestion: string): CpnError {
  return new CpnError('CPN_ERR_SUDO', message, { host, suggestions: [suggestion] })
}
