import { chmodSync, rmSync } from 'node:fs'
import type { RequestListener, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { CpnError } from '../../common/errors.ts'
import { createServer } from '../../common/http.ts'
import { maxHeaderBytes } from '../../protocol/headers.ts'
import { maxSocketPathBytes } from '../../protocol/paths.ts'

const pollMs = 10

/** HTTP on a Unix socket that only this user can open. */
export class SocketServer {
  readonly #server: Server
  readonly #answering = new Set<ServerResponse>()
  readonly #sockets = new Set<Socket>()
  #bytesOfClosed = 0

  constructor(onRequest: RequestListener) {
    // Connections are kept for as long as the master keeps them, and predict has deadlines of its own.
    this.#server = createServer(
      { keepAliveTimeout: 0, requestTimeout: 0, maxHeaderSize: maxHeaderBytes },
      (request, response) => {
        this.#answering.add(response)
        response.once('close', () => this.#answering.delete(response))
        onRequest(request, response)
      },
    )
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => {
        this.#sockets.delete(socket)
        this.#bytesOfClosed += socket.bytesRead
      })
    })
  }

  /** All that came in so far. */
  get receivedBytes(): number {
    return this.#sockets.values().reduce((sum, { bytesRead }) => sum + bytesRead, this.#bytesOfClosed)
  }

  /** The caller holds the lock, so a socket in the way is stale. */
  async listen(path: string): Promise<void> {
    checkSocketPath(path)
    rmSync(path, { force: true })
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#server.once('error', reject).listen(path, resolve)
    await promise
    this.#server.removeListener('error', reject)
    chmodSync(path, 0o600)
  }

  /** Lets answers that are on their way arrive, for at most `graceMs`, then closes all connections. */
  async close(graceMs: number): Promise<void> {
    const deadline = performance.now() + graceMs
    // Node.js takes a connection for idle whose answer is handed over but not yet sent: wait before it closes those.
    while (this.#answering.size > 0 && performance.now() < deadline) await setTimeout(pollMs)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#server.close(() => resolve())
    this.#server.closeAllConnections()
    await promise
  }
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
