import type { Duplex } from 'node:stream'

/**
 * ssh2 writes every packet in three parts (length, contents, tag), and without Nagle's delay each is a system call and a
 * segment of its own. What is written in one turn of the event loop goes out together.
 */
export function gatherWrites(socket: Duplex): void {
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean
  let isGathering = false
  const flush = (): void => {
    isGathering = false
    socket.uncork()
  }
  socket.write = (...args: unknown[]): boolean => {
    if (!isGathering) {
      isGathering = true
      socket.cork()
      process.nextTick(flush)
    }
    return write(...args)
  }
}
