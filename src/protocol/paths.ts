/**
 * Where things are on a node. Every path is relative to the host's remoteDir (default ~/.cpn).
 * blobs, releases and models are shared by all fleets; fleets/<id> belongs to one.
 */
export const nodePaths = {
  blob: (sha256: string) => `blobs/${sha256}`,
  release: (digest: string) => `releases/${digest}`,
  model: (sha256: string) => `models/${sha256}`,
  /** Manifest (JSON) beside a model's bytes. */
  modelManifest: (sha256: string) => `models/${sha256}.json`,
  fleet: (fleet: string) => `fleets/${fleet}`,
  /** Symbolic link to the release in use. */
  current: (fleet: string) => `fleets/${fleet}/current`,
  /** Symbolic link to the release before it, kept until the new one is verified. */
  previous: (fleet: string) => `fleets/${fleet}/previous`,
  /** Exists while `current` was never verified and there is nothing to go back to. */
  unverified: (fleet: string) => `fleets/${fleet}/unverified`,
  /** Exists from the first change of a provisioning until it was verified. */
  unfinished: (fleet: string) => `fleets/${fleet}/unfinished`,
  /** NDJSON: who changed the release, when, from what to what. Only ever appended to. */
  audit: (fleet: string) => `fleets/${fleet}/audit.ndjson`,
  socket: (fleet: string) => `fleets/${fleet}/run/agent.sock`,
  pid: (fleet: string) => `fleets/${fleet}/run/agent.pid`,
  keeperPid: (fleet: string) => `fleets/${fleet}/run/keeper.pid`,
  /** Exists while the agent is stopped on purpose; outlives a reboot. */
  stopped: (fleet: string) => `fleets/${fleet}/stopped`,
  log: (fleet: string) => `fleets/${fleet}/log/agent.log`,
  /** Settings of the agent (JSON, see agentConfigSchema). */
  config: (fleet: string) => `fleets/${fleet}/agent.json`,
} as const

/** Longest path of a Unix socket, without its ending NUL (108 bytes on Linux, 104 on macOS). */
export const maxSocketPathBytes = { linux: 107, darwin: 103 } as const
