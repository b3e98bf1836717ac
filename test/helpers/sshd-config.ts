import { existsSync } from 'node:fs'

const sftpServers = ['/usr/lib/openssh/sftp-server', '/usr/libexec/openssh/sftp-server', '/usr/libexec/sftp-server']

export interface SshdConfigOptions {
  address: string
  port: number
  hostKeyFiles: string[]
  /** Lines that go before ours: for most keywords sshd takes the first it sees. */
  extra: string[]
  subsystem: boolean
  passwords: boolean
  /** Home the login gets although its account has another one; only for logins as the current user. */
  overrideHome: string | undefined
}

/** The text of an sshd_config for one test host. */
export function sshdConfig(options: SshdConfigOptions): string {
  const { address, port, hostKeyFiles, extra, subsystem, passwords, overrideHome } = options
  return [
    ...extra,
    `ListenAddress ${address}:${port}`,
    ...hostKeyFiles.map((file) => `HostKey ${file}`),
    'PidFile none',
    'LogLevel VERBOSE',
    'UsePAM no',
    'UseDNS no',
    'PrintMotd no',
    'KbdInteractiveAuthentication no',
    `PasswordAuthentication ${passwords ? 'yes' : 'no'}`,
    ...(subsystem ? [`Subsystem sftp ${sftpServers.find((path) => existsSync(path)) ?? 'internal-sftp'}`] : []),
    ...(overrideHome === undefined ? [] : homeOverride(overrideHome)),
    '',
  ].join('\n')
}

function homeOverride(home: string): string[] {
  const run = 'if [ -n "$SSH_ORIGINAL_COMMAND" ]; then exec "$SHELL" -c "$SSH_ORIGINAL_COMMAND"; else exec "$SHELL"; fi'
  return [
    `AuthorizedKeysFile ${home}/.ssh/authorized_keys`,
    'StrictModes no',
    `SetEnv HOME=${home}`,
    `ForceCommand cd ${home} && ${run}`,
  ]
}
