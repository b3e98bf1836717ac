import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { ErrorCode } from '../../src/common/error-codes.ts'
import { makeKey } from '../helpers/host-files.ts'
import type { SshdHost, SshdOptions } from '../helpers/sshd.ts'
import {
  aptLocked,
  busyboxOnly,
  changeAccount,
  homeMounted,
  type Prepare,
  smallDisk,
  yearLate,
} from '../helpers/strange-host.ts'

export interface Place {
  address: string
  port: number
}

/** What a person has to be told of a host. */
export interface Told {
  code: ErrorCode
  cause: RegExp
  remedy: RegExp
}

export interface StrangeHost {
  name: string
  /** No server without it. */
  sshd?: SshdOptions
  prepare?: Prepare
  /** Differs in the inventory. */
  entry?: object | ((host: SshdHost) => object)
  /** Lines of the inventory's known_hosts; the host's own key without it. */
  known?: (host: SshdHost) => string[]
  /** Lines of the user's own known_hosts. */
  userKnown?: (host: SshdHost) => string[]
  /** Whoever connects is told this. */
  refuses?: Told
  /** What it refuses is commands: files are taken by SFTP. */
  copiesBySftp?: true
  /** Commands run there, and provisioning says this. */
  unfit?: Told
  /** It can be a node, and `hosts check` has this hint. */
  hint?: RegExp
}

export const megabyte = `${'x'.repeat(99)}
`.repeat(10_000)

const bash = (bashrc: string): SshdOptions => ({ shell: '/bin/bash', files: { '.bashrc': bashrc } })
const command = /ForceCommand.*Check the login shell/s

const unreachable: StrangeHost[] = [
  {
    name: 'nameless',
    entry: { address: 'no-such-host.invalid' },
    refuses: {
      code: 'CPN_ERR_DNS',
      cause: /no-such-host\.invalid:22: (the name has no address|the name server)/,
      remedy: /give an IP address/,
    },
  },
  {
    name: 'refused',
    entry: { address: '127.0.0.1', port: 1 },
    refuses: {
      code: 'CPN_ERR_CONNECT_REFUSED',
      cause: /127\.0\.0\.1:1: nothing listens there/,
      remedy: /Check the port.*sshd runs/,
    },
  },
  {
    // No TCP connection leads to a multicast address, whatever the network here is.
    name: 'unroutable',
    entry: { address: '224.0.0.1' },
    refuses: {
      code: 'CPN_ERR_CONNECT_UNREACHABLE',
      cause: /224\.0\.0\.1:22: there is no way to it/,
      remedy: /address and port in the inventory/,
    },
  },
]

const strangers: StrangeHost[] = [
  {
    name: 'stranger',
    sshd: {},
    known: () => [],
    refuses: {
      code: 'CPN_ERR_HOST_KEY_UNKNOWN',
      cause: /host key that is not known/,
      remedy: /ssh-keygen -lf .*hosts add stranger --host-key SHA256:/s,
    },
  },
  {
    name: 'changed',
    sshd: {},
    known: (host) => [host.knownHostsLine()],
    refuses: {
      code: 'CPN_ERR_HOST_KEY_CHANGED',
      cause: /another host key than the one on record/,
      remedy: /Set up anew\? .*hosts add changed --host-key SHA256:/s,
    },
  },
  {
    name: 'revoked',
    sshd: {},
    known: (host) => [host.knownHostsLine(), `@revoked ${host.knownHostsLine()}`],
    refuses: { code: 'CPN_ERR_HOST_KEY_REVOKED', cause: /known_hosts revokes/, remedy: /new keys/ },
  },
  {
    name: 'hashed',
    sshd: {},
    known: () => [],
    userKnown: (host) => [host.knownHostsLine(`[${host.address}]:${host.port}`)],
  },
]

const refused = { code: 'CPN_ERR_AUTH_FAILED', cause: /refused the login of/ } as const

const logins: StrangeHost[] = [
  {
    name: 'wrong-key',
    sshd: {},
    entry: (host: SshdHost) => {
      const identityFile = join(dirname(host.home), 'other')
      makeKey(identityFile)
      return { identityFile }
    },
    refuses: { ...refused, remedy: /authorized_keys there has one of these keys/ },
  },
  {
    name: 'no-key',
    sshd: {},
    entry: { identityFile: '/none/id_ed25519' },
    refuses: { code: 'CPN_ERR_IDENTITY', cause: /no key file \/none/, remedy: /identityFile/ },
  },
  {
    name: 'locked',
    sshd: {},
    prepare: changeAccount('usermod', '-p', '!'),
    refuses: { ...refused, remedy: /account is locked/ },
  },
  {
    name: 'expired',
    sshd: {},
    prepare: changeAccount('chage', '-E', '1'),
    refuses: { ...refused, remedy: /has expired: passwd -S, chage -l/ },
  },
  {
    name: 'password',
    sshd: { password: 'secret', config: ['PubkeyAuthentication no'] },
    refuses: { ...refused, cause: /tried nothing; the server takes password/, remedy: /on a terminal/ },
  },
]

/** Line of sshd_config for a text that is shown before the login. */
function banner(folder: string, text: string): string {
  const file = join(folder, `greeting-${text.length}`)
  writeFileSync(file, text)
  return `Banner ${file}`
}

const greetings = (folder: string): StrangeHost[] => [
  { name: 'chatty', sshd: { config: [banner(folder, megabyte.slice(0, 32_000))] } },
  {
    name: 'verbose',
    sshd: { config: [banner(folder, megabyte.slice(0, 200_000))] },
    refuses: {
      code: 'CPN_ERR_CONNECTION_LOST',
      cause: /too long, most likely the greeting/,
      remedy: /Shorten.*Banner/,
    },
  },
  {
    name: 'endless',
    sshd: { config: [banner(folder, megabyte)] },
    refuses: { code: 'CPN_ERR_CONNECTION_LOST', cause: /hung up during the login/, remedy: /a Banner over 256 kB/ },
  },
]

const shells: StrangeHost[] = [
  {
    name: 'nologin',
    sshd: { shell: '/usr/sbin/nologin' },
    refuses: { code: 'CPN_ERR_NO_SHELL', cause: /login shell is nologin/, remedy: /chsh -s/ },
  },
  {
    name: 'false',
    sshd: { shell: '/bin/false' },
    refuses: { code: 'CPN_ERR_NO_SHELL', cause: /did not run the command; it said nothing/, remedy: command },
  },
  {
    name: 'exits',
    sshd: bash('echo bye; exec true'),
    refuses: { code: 'CPN_ERR_NO_SHELL', cause: /it said: "bye"/, remedy: /start files must not exit/ },
  },
  {
    name: 'floods',
    sshd: bash('head -c 2000000 /dev/zero | tr "\\0" x'),
    refuses: { code: 'CPN_ERR_NO_SHELL', cause: /it said: "x/, remedy: /print over 1 MB/ },
  },
  {
    name: 'forced',
    sshd: { config: ['ForceCommand echo choose one of the following'] },
    refuses: { code: 'CPN_ERR_NO_SHELL', cause: /it said: "choose one/, remedy: command },
  },
  {
    name: 'sftp-only',
    sshd: { config: ['ForceCommand internal-sftp'] },
    copiesBySftp: true,
    refuses: { code: 'CPN_ERR_NO_SHELL', cause: /transfer files only/, remedy: /internal-sftp/ },
  },
  {
    name: 'sessions-0',
    sshd: { config: ['MaxSessions 0'] },
    refuses: { code: 'CPN_ERR_CHANNEL_REFUSED', cause: /allows no more sessions/, remedy: /Raise MaxSessions/ },
  },
  { name: 'sessions-1', sshd: { config: ['MaxSessions 1', 'DisableForwarding yes'] } },
  { name: 'csh', sshd: { shell: '/bin/csh' } },
  // fish makes its folders when it is first begun.
  {
    name: 'fish',
    sshd: { shell: '/usr/bin/fish', files: { '.config/fish/config.fish': '', '.local/share/fish/fish_history': '' } },
  },
  {
    name: 'noisy',
    sshd: bash('echo hello; echo oops >&2'),
    hint: /noisy: sftp: .*start files print.*sftp internal-sftp/,
  },
  { name: 'no-sftp', sshd: { subsystem: false }, hint: /no-sftp: sftp: .*does not offer it.*Subsystem sftp/ },
  { name: 'busybox', sshd: { config: ['SetEnv PATH=/mnt'], launcher: busyboxOnly } },
]

const check = 'CPN_ERR_HOST_CHECK'

const machines: StrangeHost[] = [
  {
    name: 'full',
    sshd: {},
    prepare: smallDisk('size=1m'),
    entry: { remoteDir: '~/disk/cpn' },
    unfit: { code: check, cause: /\/disk has \d MB free and needs \d+ MB/, remedy: /Free space there/ },
  },
  {
    name: 'no-inodes',
    sshd: {},
    prepare: smallDisk('size=2g,nr_inodes=5'),
    entry: { remoteDir: '~/disk/cpn' },
    unfit: { code: check, cause: /\/disk has room for \d more files \(inodes\)/, remedy: /df -i/ },
  },
  {
    name: 'noexec',
    sshd: {},
    prepare: homeMounted('noexec'),
    unfit: { code: check, cause: /\/home is mounted noexec/, remedy: /remoteDir/ },
  },
  {
    name: 'read-only',
    sshd: {},
    prepare: homeMounted('ro'),
    unfit: { code: check, cause: /\/home is mounted read-only/, remedy: /remoteDir/ },
  },
  { name: 'late', sshd: { config: [yearLate] }, hint: /late: clock: .*365 d behind.*set-ntp/ },
  { name: 'apt-busy', sshd: { launcher: aptLocked }, hint: /apt-busy: apt: .*holds the lock of apt.*Let it finish/ },
]

/** All that one fleet may have beside a host with nothing strange about it; files that they need go to `folder`. */
export const strangeHosts = (folder: string): StrangeHost[] => [
  ...unreachable,
  ...strangers,
  ...logins,
  ...greetings(folder),
  ...shells,
  ...machines,
]

/** Hosts that keep whoever connects waiting, or talk at length: servers that are none, and one where nothing begins. */
export const silentHosts = (silent: Place, teller: Place): StrangeHost[] => [
  {
    name: 'silent',
    entry: { address: silent.address, port: silent.port },
    refuses: {
      code: 'CPN_ERR_BANNER_TIMEOUT',
      cause: /nobody there says that it is an SSH server within 2 s/,
      remedy: /address and port in the inventory/,
    },
  },
  {
    name: 'teller',
    entry: { address: teller.address, port: teller.port },
    refuses: { code: 'CPN_ERR_KEX_FAILED', cause: /no SSH-2 server/, remedy: /Check the port/ },
  },
  {
    name: 'waits',
    sshd: { config: ['ForceCommand cat >/dev/null'] },
    refuses: {
      code: 'CPN_ERR_CHANNEL_TIMEOUT',
      cause: /start files did not come to an end within 4 s/,
      remedy: /Shorten its start files.*ForceCommand/s,
    },
  },
]
