import { connect, type Socket, type TcpNetConnectOpts } from 'node:net'
import type { Duplex } from 'node:stream'

/** Read at once at most: several packets, since one that lies in two reads has to be put together. */
const readBytes = 256 * 1024

const reusing = new WeakSet<Duplex>()

/**
 * Like node:net's `connect`, but reads into one piece of memory. Every chunk is copied out of it until
 * `reuseReads` is called.
 */
export function connectForReuse(options: TcpNetConnectOpts): Socket {
  const onRead = (bytes: number, memory: Uint8Array): boolean => {
    const chunk = Buffer.from(memory.buffer, memory.byteOffset, bytes)
    if (!reusing.has(socket) || !socket.readableFlowing || socket.readableLength > 0) {
      return socket.push(Buffer.from(chunk))
    }
    socket.emit('data', chunk)
    return true
  }
  const socket = connect({ ...options, onread: { buffer: Buffer.allocUnsafeSlow(readBytes), callback: onRead } })
  return socket
}

/**
 * From now on the chunks of the socket's 'data' events are good only until their listener returns. Without this each
 * of them is a piece of memory that garbage has to be collected for.
 */
export function reuseReads(socket: Duplex): void {
  reusing.add(socket)
}
