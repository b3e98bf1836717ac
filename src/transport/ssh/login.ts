import type { Duplex } from 'node:stream'
import type { ServerHostKeyAlgorithm } from 'ssh2'
import type { Prompter } from '../../common/context.ts'
import { CpnError } from '../../common/errors.ts'
import { ChannelSocket } from './channel-socket.ts'
import { SshConnection } from './connection.ts'
import { dial } from './dial.ts'
import { dialError, isTurnedAway, jumpError, type Place } from './errors.ts'
import { HandshakeFailure, handshake } from './handshake.ts'
import type { Keyring } from './keyring.ts'
import type { Pace } from './pace.ts'
import type { PatientPrompter } from './stopwatch.ts'
import { placeOf, type Target } from './target.ts'

export interface LoginOptions {
  target: Target
  /** Connection of the last hop; undefined for the direct way. */
  via: SshConnection | undefined
  /** Host that errors are about. */
  host: string
  pace: Pace
  prompter: Prompter
  verifyHostKey: (key: Buffer) => true | CpnError
  hostKeyAlgorithms: ServerHostKeyAlgorithm[]
  openKeyring: (prompter: PatientPrompter) => Promise<Keyring>
  signal: AbortSignal | undefined
}

/** Connects to one server and logs in, paced with all the other logins to the same server. */
export async function login(options: LoginOptions): Promise<SshConnection> {
  const { target, pace, signal } = options
  const endpoint = `${target.hostname.toLowerCase()}:${target.port}`
  try {
    return await pace.run(endpoint, () => tryLogin(options), wasTurnedAway, signal)
  } catch (error) {
    throw error instanceof HandshakeFailure ? error.reason : error
  }
}

async function tryLogin(options: LoginOptions): Promise<SshConnection> {
  const { target, host, signal } = options
  const place = placeOf(target, host)
  const socket = await openSocket(options, place)
  const client = await handshake({ ...options, socket, place, signal })
  return new SshConnection(client, socket, place)
}

async function openSocket({ target, via, signal }: LoginOptions, place: Place): Promise<Duplex> {
  if (!via) return dial(target, place, signal)
  try {
    const channel = await via.openTcp(target.hostname, target.port, signal)
    return new ChannelSocket(channel, via, { allowHalfOpen: false }).on('error', () => undefined)
  } catch (error) {
    // Reason 2 of a direct-tcpip channel: the hop tried and could not connect.
    if (error instanceof CpnError && error.code === 'CPN_ERR_CHANNEL_REFUSED') throw dialError(error.cause, place)
    throw signal?.aborted ? error : jumpError(error, via.place, place.host)
  }
}

function wasTurnedAway(error: unknown): boolean {
  return error instanceof HandshakeFailure && !error.sawBanner && isTurnedAway(error.reason, error.heard)
}
