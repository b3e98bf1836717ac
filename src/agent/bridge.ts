import { once } from 'node:events'
import { constants, performServerHandshake, type ServerHttp2Stream } from 'node:http2'
import { connect } from 'node:net'
import { Duplex, type Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { bridgeAuthority, bridgeErrorHeader, bridgeSettings, bridgeWindowBytes } from '../protocol/bridge.ts'

const { HTTP2_HEADER_AUTHORITY, HTTP2_HEADER_METHOD, HTTP2_HEADER_STATUS } = constants

/**
 * Carries connections to the Unix socket at `socketPath` over one pair of pipes, for hosts whose sshd forbids
 * forwarding: HTTP/2, each connection a CONNECT stream to `agent`. Refuses anything else. Resolves when stdin ends.
 */
export async function runBridge(socketPath: string, stdin: Readable, stdout: Writable): Promise<void> {
  const stdio = Duplex.from({ readable: stdin, writable: stdout } as never)
  const session = performServerHandshake(stdio as never, bridgeSettings)
  session.setLocalWindowSize(bridgeWindowBytes)
  session.on('error', () => undefined)
  session.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => undefined)
    if (headers[HTTP2_HEADER_METHOD] !== 'CONNECT' || headers[HTTP2_HEADER_AUTHORITY] !== bridgeAuthority) {
      return stream.respond({ [HTTP2_HEADER_STATUS]: 405 }, { endStream: true })
    }
    carry(stream, socketPath)
  })
  await once(session, 'close')
}

/** Answers 200 once the socket is connected, or 502 with the system's error code. */
function carry(stream: ServerHttp2Stream, socketPath: string): void {
  const socket = connect({ path: socketPath, allowHalfOpen: true })
  const refuse = (error: NodeJS.ErrnoException): void => {
    stream.respond({ [HTTP2_HEADER_STATUS]: 502, [bridgeErrorHeader]: error.code ?? 'EIO' }, { endStream: true })
  }
  socket.once('error', refuse)
  stream.once('close', () => socket.destroy())
  socket.once('connect', () => {
    socket.off('error', refuse)
    if (stream.destroyed) return void socket.destroy()
    stream.respond({ [HTTP2_HEADER_STATUS]: 200 })
    // Either direction may end before the other; an error in one of them ends both.
    pipeline(stream, socket).catch(() => socket.destroy())
    pipeline(socket, stream).catch(() => stream.close(constants.NGHTTP2_CONNECT_ERROR))
  })
}
