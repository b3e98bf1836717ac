import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CpnError } from '../../common/errors.ts'
import type { FleetFolder } from '../fleet-folder.ts'
import { hostCommand } from './host-command.ts'
import { lingers, setLinger } from './linger.ts'
import { forgetRecord, readRecord, recordLinger, recordMissingFolders, unitFolder } from './systemd-record.ts'
import { unitName, unitText } from './systemd-unit.ts'

/** True when the user's own systemd answers. */
export async function systemdAnswers(): Promise<boolean> {
  return (await userctl('show', '--property=Version')) !== undefined
}

/** Whether the user's systemd outlives the last logout, asking logind for it when it does not. Null: no logind. */
export async function ensureLinger(home: string): Promise<boolean | null> {
  const already = await lingers()
  if (already !== false) return already
  if (!(await setLinger(true))) return false
  recordLinger(home)
  return await lingers()
}

/** Writes the unit when it is not as it should be, enables it and starts it. */
export async function startUnit(fleet: FleetFolder): Promise<void> {
  const name = unitName(fleet.id)
  const path = unitPath(fleet)
  if (!existsSync(path) || readFileSync(path, 'utf8') !== unitText(fleet)) {
    recordMissingFolders(fleet.home)
    mkdirSync(unitFolder(), { recursive: true })
    writeFileSync(path, unitText(fleet))
    await userctl('daemon-reload')
  }
  await userctl('enable', name)
  if ((await userctl('start', name)) !== undefined) return
  throw new CpnError('CPN_ERR_AGENT_START', `systemd does not start ${name}`, {
    suggestions: [`Look at \`systemctl --user status ${name}\` on the host.`],
  })
}

export async function stopUnit(fleet: FleetFolder): Promise<void> {
  if (existsSync(unitPath(fleet))) await userctl('stop', unitName(fleet.id))
}

/** Removes the unit; with the last one of this user what was changed for them goes too. */
export async function removeUnit(fleet: FleetFolder): Promise<void> {
  if (existsSync(unitPath(fleet))) {
    await userctl('disable', unitName(fleet.id))
    rmSync(unitPath(fleet), { force: true })
    await userctl('daemon-reload')
  }
  if (otherUnits()) return
  if (readRecord(fleet.home).lingerEnabled) await setLinger(false)
  forgetRecord(fleet.home)
}

function otherUnits(): boolean {
  return existsSync(unitFolder()) && readdirSync(unitFolder()).some((name) => /^cpn-.*\.service$/.test(name))
}

function unitPath(fleet: FleetFolder): string {
  return join(unitFolder(), unitName(fleet.id))
}

/** Stopping waits for a drain, hence the time. */
async function userctl(...args: string[]): Promise<string | undefined> {
  return await hostCommand('systemctl', ['--user', '--no-ask-password', ...args], 60_000)
}
