import { setTimeout as sleep } from 'node:timers/promises'
import type { ClientChannel, SFTPWrapper } from 'ssh2'
import { CpnError } from '../../common/errors.ts'
import type { Allowed } from '../transport.ts'
import type { SshConnection } from './connection.ts'

/** Tries what the server allows: a forwarded connection to one of the sockets, then the SFTP subsystem. */
export async function probe(connection: SshConnection, sockets: string[], signal?: AbortSignal): Promise<Allowed> {
  let forwarding: boolean | undefined
  for (const socket of sockets) {
    forwarding = await succeeds(async () => {
      const channel: ClientChannel = await connection.openStreamLocal(socket, signal)
      channel.destroy()
    }, signal)
    if (forwarding) break
  }
  // Last, because a subsystem that cannot start may take the connection along.
  return { forwarding, sftp: await hasSftp(connection, signal) }
}

/** The server counts a session for a moment after its end, so that a refused channel is asked for again. */
async function hasSftp(connection: SshConnection, signal?: AbortSignal): Promise<boolean> {
  for (let tries = 1; ; tries++) {
    try {
      const sftp = await connection.request<SFTPWrapper>(
        'SFTP',
        (done) => connection.client.sftp(done as never),
        signal,
      )
      sftp.end()
      return true
    } catch (error) {
      const refused = error instanceof CpnError && error.code === 'CPN_ERR_CHANNEL_REFUSED'
      signal?.throwIfAborted()
      if (!refused || tries === 5) return false
      await sleep(20 * tries, undefined, { signal })
    }
  }
}

async function succeeds(work: () => Promise<void>, signal?: AbortSignal): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof CpnError && error.code === 'CPN_ERR_CONNECTION_LOST') throw error
    return false
  }
}
