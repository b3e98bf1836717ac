/*
 * The bridge: where sshd forbids forwarding, one exec channel carries HTTP/2 between master (client) and host (server),
 * and each connection to the agent is a CONNECT stream.
 */

/** `:authority` of the only thing that may be connected to. */
export const bridgeAuthority = 'agent'

/** Header of a 502: the system error code (ECONNREFUSED, ENOENT, …) of the connection to the agent's socket. */
export const bridgeErrorHeader = 'cpn-error'

/** Bytes in flight on the whole bridge. */
export const bridgeWindowBytes = 64 * 1024 * 1024

/** Both ends' HTTP/2 settings: windows that hold images, so that the round trip does not bound the rate. */
export const bridgeSettings = {
  /** In MB. */
  maxSessionMemory: 1024,
  settings: { initialWindowSize: 16 * 1024 * 1024, maxFrameSize: 256 * 1024 },
}
