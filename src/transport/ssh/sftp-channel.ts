import { setTimeout as sleep } from 'node:timers/promises'
import type { SFTPWrapper } from 'ssh2'
import { CpnError } from '../../common/errors.ts'
import type { SshConnection } from './connection.ts'

/** The SFTP subsystem; asked for again when refused, as the server counts a session for a moment after its end. */
export async function openSftp(connection: SshConnection, signal?: AbortSignal): Promise<SFTPWrapper> {
  for (let tries = 1; ; tries++) {
    try {
      return await connection.request<SFTPWrapper>('SFTP', (done) => connection.client.sftp(done as never), signal)
    } catch (error) {
      const isRefused = error instanceof CpnError && error.code === 'CPN_ERR_CHANNEL_REFUSED'
      if (!isRefused || tries === 5) throw error
      await sleep(20 * tries, undefined, { signal })
    }
  }
}
