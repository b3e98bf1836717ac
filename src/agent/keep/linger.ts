import { userInfo } from 'node:os'
import { hostCommand } from './host-command.ts'

/** Whether the user's systemd goes on without a login; null where nobody can tell (no logind). */
export async function lingers(): Promise<boolean | null> {
  const answer = await hostCommand('loginctl', ['show-user', userInfo().username, '--property=Linger', '--value'])
  // A user who is not logged in and does not linger is unknown to logind, so ask whether logind is there at all.
  if (answer === undefined)
    return (await hostCommand('loginctl', ['list-users', '--no-legend'])) === undefined ? null : false
  return answer.trim() === 'yes'
}

export async function setLinger(on: boolean): Promise<boolean> {
  const verb = on ? 'enable-linger' : 'disable-linger'
  return (await hostCommand('loginctl', ['--no-ask-password', verb])) !== undefined
}
