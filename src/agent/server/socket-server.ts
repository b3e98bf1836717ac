import { chmodSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { CpnError } from '../../common/errors.ts'
import { maxSocketPathBytes } from '../../protocol/paths.ts'

/** Listens on a Unix socket that only this user can open. The caller holds the lock, so a socket in the way is stale. */
export async function listenOnSocket(path: string, onRequest: RequestListener): Promise<Server> {
  checkSocketPath(path)
  rmSync(path, { force: true })
  // Connections are kept for as long as the master keeps them, and predict has deadlines of its own.
  const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, onRequest)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject).listen(path, resolve)
  await promise
  server.removeListener('error', reject)
  chmodSync(path, 0o600)
  return server
}

/** Answers what is under way, then closes all connections; those still open after `graceMs` are cut. */
export async function closeServer(server: Server, graceMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), graceMs)
  await promise
  clearTimeout(timer)
}

/** Throws CPN_ERR_AGENT_START for a path that the kernel would not take. */
export function checkSocketPath(path: string): void {
  const limit = process.platform === 'darwin' ? maxSocketPathBytes.darwin : maxSocketPathBytes.linux
  const bytes = Buffer.byteLength(path)
  if (bytes <= limit) return
  throw new CpnError('CPN_ERR_AGENT_START', `the socket path ${path} has ${bytes} bytes; ${limit} are the limit`, {
    suggestions: ['Set a shorter remoteDir for this host in the inventory, then provision it again.'],
  })
}
