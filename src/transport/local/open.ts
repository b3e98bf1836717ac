import type { Opener } from '../connector.ts'
import { LocalTransport } from './local-transport.ts'

/** This machine as a host. */
export function createLocalOpener(): Opener {
  return {
    open: async (host, signal) => {
      signal?.throwIfAborted()
      return new LocalTransport(host.name)
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
}
