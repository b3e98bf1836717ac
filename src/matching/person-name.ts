import * as z from 'zod'

/** Bytes of UTF-8; what file systems allow is 255, and folders get numbers behind a name. */
const maxNameBytes = 200

/** Controls, ends of lines, signs that turn the direction of what follows, and what is no character. */
const unseen = /[\p{Cc}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u

/** A person's name, in any script. It stands in file names, in XML and on photographs. */
export const personNameSchema = z.string().superRefine((name, context) => {
  const reason = wrongInName(name)
  if (reason) context.addIssue({ code: 'custom', message: reason })
})

/** What keeps a string from being a person's name, in words that go behind it; undefined when nothing does. */
export function wrongInName(name: string): string | undefined {
  if (name.trim() === '') return 'is empty'
  if (name !== name.trim()) return 'begins or ends with a space'
  if (!name.isWellFormed()) return 'has half of a character'
  if (name !== name.normalize('NFC')) return 'is not in the normal form NFC'
  const separator = /[/\\:*?"<>|]/.exec(name)
  if (separator) return `has a ${separator[0]}, which no folder can have in its name everywhere`
  if (/^\.|\.$/.test(name)) return 'begins or ends with a dot'
  const sign = unseen.exec(name)
  if (sign) return `has a sign that cannot be seen (U+${sign[0].codePointAt(0)!.toString(16).padStart(4, '0')})`
  if (/^unknown-\d+$/i.test(name)) return 'is what groups of unknown faces are called'
  if (Buffer.byteLength(name) > maxNameBytes) return `is longer than ${maxNameBytes} bytes`
  return undefined
}
