import * as z from 'zod'

/** Bytes of UTF-8; what file systems allow is 255, and folders get numbers behind a name. */
const maxNameBytes = 200

/**
 * A person's name, in any script. It stands in file names, in XML and on photographs, so that there are no separators of
 * paths, no control characters and none that turn the direction of what follows.
 */
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
  if (/[/\\]/.test(name)) return 'has a slash'
  if (/^\./.test(name)) return 'begins with a dot'
  if (/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u.test(name)) return 'has a control character'
  if (Buffer.byteLength(name) > maxNameBytes) return `is longer than ${maxNameBytes} bytes`
  return undefined
}
