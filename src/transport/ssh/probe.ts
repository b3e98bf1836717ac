import type { ClientChannel } from 'ssh2'
import { CpnError } from '../../common/errors.ts'
import type { Allowed } from '../transport.ts'
import type { SshConnection } from './connection.ts'
import { openSftp } from './sftp-channel.ts'

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

/** A subsystem that breaks in whatever way is none. */
async function hasSftp(connection: SshConnection, signal?: AbortSignal): Promise<boolean> {
  try {
    const sftp = await openSftp(connection, signal)
    sftp.end()
    return true
  } catch {
    signal?.throwIfAborted()
    return false
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
