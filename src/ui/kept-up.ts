import type { NodeCard } from '../protocol/messages.ts'

/** Who keeps an agent running, in words. `linger`: whether systemd --user outlives the last logout. */
export function keptUp(supervisor: NodeCard['isolation']['supervisor'] = 'none', linger?: boolean | null): string {
  if (supervisor === 'keeper') return 'kept up by cpn’s own supervisor'
  if (supervisor === 'none') return 'kept up by nobody'
  if (linger === false) return 'kept up by systemd --user until the last logout (no linger: loginctl enable-linger)'
  return `kept up by systemd --user${linger ? ' (linger on)' : ''}`
}
