import { Readable } from 'node:stream'
import type { Client, SFTPWrapper } from 'ssh2'
import SftpClient from 'ssh2-sftp-client'
import { CpnError } from '../../common/errors.ts'
import { counted } from '../progress.ts'
import type { UploadOptions } from '../transport.ts'
import type { SshConnection } from './connection.ts'
import { sftpProblem } from './errors.ts'

/** ssh2-sftp-client on a connection that is there already: its own connect would log in once more. */
class AttachedSftp extends SftpClient {
  constructor(client: Client, channel: SFTPWrapper) {
    const ignore = (): void => undefined
    super('cpn', { error: ignore, end: ignore, close: ignore })
    Object.assign(this, { client, sftp: channel })
  }
}

/** Writes a file by SFTP. One operation per client, as it is not safe to have several. Removes what it leaves behind. */
export async function putBySftp(
  connection: SshConnection,
  source: Readable,
  path: string,
  { signal, onProgress }: UploadOptions,
): Promise<void> {
  const remotePath = path.replace(/^~\//, '')
  const channel = await connection.request<SFTPWrapper>('SFTP', (done) => connection.client.sftp(done as never), signal)
  const sftp = new AttachedSftp(connection.client, channel)
  const onAbort = (): void => void source.destroy(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    await sftp.put(Readable.from(counted(source, onProgress)), remotePath, { writeStreamOptions: { mode: 0o600 } })
  } catch (error) {
    await sftp.delete(remotePath, true).catch(() => undefined)
    signal?.throwIfAborted()
    const message = `cannot write ${path} on ${connection.place.host} by SFTP: ${sftpProblem(error)}`
    throw new CpnError('CPN_ERR_UPLOAD', message, {
      host: connection.place.host,
      cause: error,
      suggestions: ['Check that the folder exists, belongs to the user and has space left.'],
    })
  } finally {
    signal?.removeEventListener('abort', onAbort)
    channel.end()
  }
}
