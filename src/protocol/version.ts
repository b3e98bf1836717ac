/** Version of the agent protocol. A master talks to this one and the previous one. */
export const protocolVersion = 1
