import { withDeadline } from '../common/deadline.ts'
import { CpnError, toCpnError } from '../common/errors.ts'
import type { Phase, PhaseOutcome, ProvisionEvent } from './phase.ts'
import type { Provisioning } from './provisioning.ts'
import { rollBack } from './roll-back.ts'

const rollBackMs = 120_000

/** How a phase ended; one that was settled before it began took no time. */
export interface PhaseEnd {
  outcome: PhaseOutcome
  seconds?: number
}

/**
 * Runs phases in order on one host and tells of each. What fails after the switch is rolled back; the lock is given
 * back in any case. Resolves with what became of each phase.
 */
export async function runPhases(
  phases: readonly Phase[],
  provisioning: Provisioning,
  onEvent: (event: ProvisionEvent) => void,
  signal: AbortSignal,
): Promise<Map<string, PhaseEnd>> {
  const ends = new Map<string, PhaseEnd>()
  try {
    for (const phase of phases) ends.set(phase.name, await runPhase(phase, provisioning, onEvent, signal))
    return ends
  } catch (error) {
    throw await withRollBack(provisioning, toCpnError(error))
  } finally {
    await provisioning.lock?.release()
  }
}

async function runPhase(
  phase: Phase,
  provisioning: Provisioning,
  onEvent: (event: ProvisionEvent) => void,
  signal: AbortSignal,
): Promise<PhaseEnd> {
  const host = provisioning.host.name
  const tell = (event: Partial<ProvisionEvent> & Pick<ProvisionEvent, 'state'>) =>
    onEvent({ host, phase: phase.name, title: phase.title, ...event })
  provisioning.progress = (bytes, totalBytes) => tell({ state: 'progress', bytes, totalBytes })
  const settled = phase.settled?.(provisioning)
  if (settled) {
    tell({ state: 'done', outcome: settled })
    return { outcome: settled }
  }
  tell({ state: 'start' })
  const started = performance.now()
  try {
    const timedOut = () => tooLong(host, phase)
    const ended = provisioning.lock ? AbortSignal.any([signal, provisioning.lock.lost]) : signal
    const outcome = await withDeadline(phase.timeoutMs, timedOut, (inner) => phase.run(provisioning, inner), ended)
    const seconds = (performance.now() - started) / 1000
    tell({ state: 'done', outcome, seconds })
    return { outcome, seconds }
  } catch (error) {
    tell({ state: 'failed' })
    throw error
  }
}

function tooLong(host: string, phase: Phase): CpnError {
  return new CpnError('CPN_ERR_PHASE_TIMEOUT', `${phase.title} took longer than ${phase.timeoutMs / 1000} seconds`, {
    host,
    retryable: true,
    suggestions: ['See what that host is busy with, then provision it again: what is done stays done.'],
  })
}

// Nothing was switched: the release before is still in use and there is nothing to take back.
async function withRollBack(provisioning: Provisioning, error: CpnError): Promise<CpnError> {
  if (provisioning.replaced === undefined) return error
  const told = await rollBack(provisioning, rollBackMs).catch(toCpnError)
  // Whoever has the lock now decides what is in use: that this is not us any more is what there is to tell.
  if (told instanceof CpnError && told.code === 'CPN_ERR_HOST_LOCKED') return told
  const end = told instanceof CpnError ? whyNot(told) : told
  const { code, message, suggestions, retryable, host } = error
  return new CpnError(code, `${message}; ${end}`, { host, suggestions, retryable, cause: error })
}

function whyNot({ code, message }: CpnError): string {
  const isGone = code === 'CPN_ERR_CONNECTION_LOST'
  return isGone ? 'the host goes back to the release before by itself' : `going back failed as well: ${message}`
}
