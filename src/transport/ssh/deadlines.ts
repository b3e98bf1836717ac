/** Longest waits in milliseconds. Each of them ends with an error of its own; see errors.ts. */
const table = {
  /** Name to address. */
  dns: 5_000,
  /** Address to open TCP connection (or channel of a jump host). */
  tcp: 10_000,
  /** Open connection to the server's identification line. */
  banner: 10_000,
  /** Identification line to agreed keys. */
  kex: 15_000,
  /** Agreed keys to logged in; stands still while somebody is asked for a secret. */
  auth: 30_000,
  /** Request for a channel to its answer. */
  channel: 10_000,
  /** Started channel to the first line of our script: what the login shell's start files may take. */
  shell: 20_000,
  /** The bridge's start on the host. */
  bridge: 15_000,
  /** Part of an upload to the next part, and its last one to the checked file. */
  stall: 60_000,
  /** SFTP request to its answer. */
  sftp: 30_000,
  /** `ssh -G`, which may run programs of the user's own (Match exec). */
  config: 10_000,
  /** Question to ssh-agent for its keys; a login goes on without them. */
  sshAgent: 3_000,
  /** Time between two looks at a connection; four of them without a byte end it. */
  keepalive: 1_000,
  /** How long close() waits for the server to hang up. */
  close: 2_000,
} as const

export type Wait = keyof typeof table

/** Milliseconds of one wait. CPN_TIMEOUT_SCALE stretches all of them, for very slow links. */
export function deadline(wait: Wait): number {
  const scale = Number(process.env.CPN_TIMEOUT_SCALE ?? 1)
  return Math.round(table[wait] * (Number.isFinite(scale) && scale > 0 ? scale : 1))
}
