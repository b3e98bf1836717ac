import type { Duplex } from 'node:stream'
import { deadline } from './deadlines.ts'

/** Looks in a row without a byte that make a connection dead. */
const silentLooks = 4

/**
 * Calls `onDead` when nothing has come in for too long although ssh2 keeps asking for an answer. Any byte counts as
 * life: ssh2's own count sees only the answers, which wait behind everything else on a slow link that is busy sending.
 */
export function watchLiveness(socket: Duplex, onDead: () => void): () => void {
  let silent = 0
  const onData = (): void => {
    silent = 0
  }
  socket.on('data', onData)
  // Counted in ticks and not by the clock: a busy event loop makes ticks late, but none of them silent.
  const timer = setInterval(() => {
    silent++
    if (silent >= silentLooks) onDead()
  }, deadline('keepalive'))
  return () => {
    clearInterval(timer)
    socket.off('data', onData)
  }
}
