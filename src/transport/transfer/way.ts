import { CpnError } from '../../common/errors.ts'
import type { RemoteFiles, Transport } from '../transport.ts'
import type { Way } from './entries.ts'

/**
 * Does a transfer through commands, or by SFTP on a host that lets the user transfer files only. Commands come first:
 * they are faster, and on the host's own side digests cost no bytes on the way.
 */
export async function onTheWay<T extends object>(
  transport: Transport,
  signal: AbortSignal,
  byCommands: () => Promise<T>,
  bySftp: (files: RemoteFiles) => Promise<T>,
): Promise<T & { way: Way }> {
  try {
    return { ...(await byCommands()), way: 'commands' }
  } catch (error) {
    if (!(error instanceof CpnError) || error.code !== 'CPN_ERR_NO_SHELL') throw error
    await using files = await openFiles(transport, signal, error)
    return { ...(await bySftp(files)), way: 'sftp' }
  }
}

/**
 * That there is no SFTP either is no news, even where a program that is none ends the connection: what matters is why
 * the host runs no command.
 */
async function openFiles(transport: Transport, signal: AbortSignal, noShell: CpnError): Promise<RemoteFiles> {
  try {
    return await transport.openFiles(signal)
  } catch {
    signal.throwIfAborted()
    throw noShell
  }
}
