/*
 * A key that is locked has `restrict,command="…/cpn-agent bridge --only"` in authorized_keys: whatever its login asks for
 * goes to that program, which does what is listed here and refuses the rest.
 */

/** What the program says on stderr to any other request. */
export const keyLockedMark = 'cpn-key-locked'

const requests = [
  /^place$/,
  /^bridge$/,
  /^start( --if-not-stopped)?$/,
  /^stop( --now)?$/,
  /^logs --lines \d{1,9}( --follow)?( --clock)?( --within \d{1,9})?( --level [a-z]{4,5})?$/,
]

export interface LockedRequest {
  /** Told back before anything else, so that what login shells print is told apart. */
  nonce: string
  /** The subcommand and its arguments. */
  words: string[]
}

/** What the master sends in the place of a shell command. */
export function encodeLockedRequest(nonce: string, words: string): string {
  return `cpn ${nonce} ${words}`
}

/** The request, or undefined for anything that is not on the list. */
export function decodeLockedRequest(command: string): LockedRequest | undefined {
  const [, nonce, words = ''] = /^cpn ([0-9a-f]{16}) (.+)$/.exec(command) ?? []
  if (nonce === undefined || !requests.some((request) => request.test(words))) return undefined
  return { nonce, words: words.split(' ') }
}

/** A line of its own that separates what login shells print from what was asked for. */
export function markerOf(nonce: string): string {
  return `cpn-start-${nonce}`
}

/** Where the fleet's agent is, as one line: its state and the absolute folder of the fleet. */
export const placePattern = /^cpn-place (unprovisioned|stopped|provisioned) (.*)$/m
