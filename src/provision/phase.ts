import type { Provisioning } from './provisioning.ts'

/** changed: something was written; unchanged: it was right already; skipped: this host does not need the phase. */
export type PhaseOutcome = 'changed' | 'unchanged' | 'skipped'

/**
 * One idempotent step on the way from a bare host to a ready node. An action is a list of them, run in order on one
 * connection. A phase looks before it writes, so that running it again changes nothing; it hands what it learnt to the
 * ones after it through `provisioning`.
 *
 * `run` rejects with a CpnError that names the host. It gets a signal that aborts at its deadline or when the command
 * ends, and passes it to everything it waits for. It leaves the host usable whenever it stops: the release in use is
 * touched by `switch` and `start` only.
 */
export interface Phase {
  /** Short and stable, for events and tests: 'upload-release'. */
  readonly name: string
  /** For the person: what is going on, present tense. */
  readonly title: string
  /** Milliseconds; passing it ends the phase with CPN_ERR_PHASE_TIMEOUT. */
  readonly timeoutMs: number
  /** The outcome where there is nothing to do: then `run` is not called and nobody is told that it began. */
  settled?(provisioning: Provisioning): PhaseOutcome | undefined
  run(provisioning: Provisioning, signal: AbortSignal): Promise<PhaseOutcome>
}

/** What happens on a host, as it happens. */
export interface ProvisionEvent {
  host: string
  phase: string
  title: string
  state: 'start' | 'progress' | 'done' | 'failed'
  /** With done. */
  outcome?: PhaseOutcome
  /** With done, for a phase that had something to do. */
  seconds?: number
  /** With progress: bytes sent of totalBytes. */
  bytes?: number
  totalBytes?: number
}
