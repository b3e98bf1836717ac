import { CpnError } from '../common/errors.ts'

/** Folders are named after people, on any file system. */
const mostBytes = 120

/**
 * A person's name as it is kept: in any script, composed (NFC), without spaces around it. Throws CPN_ERR_PERSON_NAME for
 * what cannot be the name of a folder, too.
 */
export function personName(text: string): string {
  const name = text.normalize('NFC').trim().replaceAll(/\s+/gu, ' ')
  const fault = faultOf(name)
  if (fault === undefined) return name
  throw new CpnError('CPN_ERR_PERSON_NAME', `${JSON.stringify(text)} cannot be the name of a person: ${fault}`, {
    suggestions: ["Use letters, digits, spaces and signs such as - . , and ' in any script."],
  })
}

/** Two names that a file system, or a reader, may take for one. */
export const nameKey = (name: string): string => name.normalize('NFKC').toLowerCase()

function faultOf(name: string): string | undefined {
  if (name === '') return 'it is empty'
  if (Buffer.byteLength(name) > mostBytes) return `it has more than ${mostBytes} bytes`
  // Controls, directions and other invisible signs, surrogates without a partner, what is no character.
  const odd = /[\p{Cc}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u.exec(name)
  if (odd)
    return `it has a sign that cannot be seen (U+${odd[0].codePointAt(0)!.toString(16).padStart(4, '0').toUpperCase()})`
  const path = /[/\\:*?"<>|]/.exec(name)
  if (path) return `it has a ${path[0]}`
  if (name.startsWith('.') || name.endsWith('.')) return 'it begins or ends with a dot'
  if (/^unknown-\d+$/i.test(name)) return 'groups of unknown faces are called so'
  return undefined
}
