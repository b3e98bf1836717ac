import type { Context } from '../../common/context.ts'
import { CpnError } from '../../common/errors.ts'
import type { Host } from '../../inventory/inventory.ts'
import { createConnector } from '../../transport/connector.ts'
import { logInWithKeyAlone, type OwnKey, ownKeyFor } from '../../transport/own-key.ts'
import { quote } from '../../transport/shell.ts'

export interface CopiedKey {
  /** File of the key. */
  path: string
  fingerprint: string
  /** False when the host had it already. */
  added: boolean
}

/**
 * Puts the public part of the host's identityFile, or else of ssh's first own key, into authorized_keys on the host, and
 * verifies that it logs in alone. Whatever else lets us in is used for that, a password by prompt as well.
 */
export async function copyKey(
  host: Host,
  where: { hosts: Host[]; knownHostsFile: string },
  { prompter, logger, signal }: Context,
): Promise<CopiedKey> {
  const options = { ...where, prompter, logger, signal }
  const key = await ownKeyFor(host, where.hosts, signal)
  await using connector = createConnector(options)
  await using transport = await connector.open(host, signal)
  const { exitCode, stdout, stderr } = await transport.exec(authorizeScript(key), { signal })
  if (exitCode !== 0) throw notWritten(host.name, stderr.trim())
  await logInWithKeyAlone(host, key, options).catch((error: unknown) => {
    throw error instanceof CpnError && error.code === 'CPN_ERR_AUTH_FAILED' ? notTaken(host.name, key, error) : error
  })
  return { path: key.path, fingerprint: key.fingerprint, added: stdout.includes('cpn-key added') }
}

/** Adds a line to authorized_keys unless the key is there, with the modes that sshd insists on. */
export function authorizeScript({ publicKey, comment }: Pick<OwnKey, 'publicKey' | 'comment'>): string {
  return `LC_ALL=C; export LC_ALL; umask 077
cd -- "$HOME" || exit 1
[ -d .ssh ] || mkdir .ssh || exit 1
chmod 700 .ssh || exit 1
file=.ssh/authorized_keys
[ -e "$file" ] || : >"$file" || exit 1
chmod 600 "$file" || exit 1
if grep -q ${quote(`^[^#]*${publicKey}`)} "$file"; then echo 'cpn-key present'; exit 0; fi
[ -z "$(tail -c 1 "$file")" ] || echo >>"$file" || exit 1
printf '%s\\n' ${quote(`${publicKey} ${comment}`)} >>"$file" || exit 1
if command -v restorecon >/dev/null 2>&1; then restorecon -R .ssh; fi
echo 'cpn-key added'
`
}

function notWritten(host: string, said: string): CpnError {
  return new CpnError('CPN_ERR_REMOTE_COMMAND', `authorized_keys could not be written${said && `: ${said}`}`, {
    host,
    suggestions: ['Check that the home folder and ~/.ssh there belong to the user, are writable, and have space left.'],
  })
}

function notTaken(host: string, { path }: OwnKey, cause: CpnError): CpnError {
  return new CpnError('CPN_ERR_AUTH_FAILED', `the key ${path} is in authorized_keys, and the server does not take it`, {
    host,
    cause,
    suggestions: [
      'Close the home folder to others there, which sshd insists on: chmod go-w ~',
      'Check AuthorizedKeysFile and PubkeyAuthentication in sshd_config on the host.',
    ],
  })
}
