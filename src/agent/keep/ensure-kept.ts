import type { FleetFolder } from '../fleet-folder.ts'
import type { Supervisor } from '../node-card.ts'
import { ensurePrivateFolder } from '../private-folder.ts'
import { startKeeper } from './keeper.ts'
import { ensureLinger, removeUnit, startUnit, systemdAnswers } from './systemd-user.ts'

export interface Kept {
  supervisor: Supervisor
  /** Whether the user's systemd goes on without a login; null where nobody can tell. */
  linger: boolean | null
}

/**
 * Starts what keeps the agent: the user's systemd where it goes on after the last logout, else our own keeper, which
 * logouts do not end.
 */
export async function ensureKept(fleet: FleetFolder): Promise<Kept> {
  // systemd opens the log before the agent could make its folder.
  ensurePrivateFolder(fleet.runDir)
  ensurePrivateFolder(fleet.logDir)
  const systemd = await systemdAnswers()
  const linger = systemd ? await ensureLinger(fleet.home) : null
  if (systemd && linger !== false) {
    await startUnit(fleet)
    return { supervisor: 'systemd-user', linger }
  }
  // A unit from better days would start a second agent.
  await removeUnit(fleet)
  startKeeper(fleet)
  return { supervisor: 'keeper', linger }
}
