/** Version of the agent protocol. A master talks to this one; from version 2 on, to the one before it as well. */
export const protocolVersion = 1
