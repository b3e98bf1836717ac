import { CpnError } from '../common/errors.ts'
import { wrongInName } from '../matching/person-name.ts'

/**
 * A person's name as it is kept: in any script, composed (NFC), without spaces around it. Throws CPN_ERR_PERSON_NAME for
 * what cannot be the name of a folder, too.
 */
export function personName(text: string): string {
  const name = text.normalize('NFC').trim().replaceAll(/ +/g, ' ')
  const fault = wrongInName(name)
  if (fault === undefined) return name
  throw new CpnError('CPN_ERR_PERSON_NAME', `the name ${JSON.stringify(text)} ${fault}`, {
    suggestions: ["Use letters, digits, spaces and signs such as - , ' ( ) in any script."],
  })
}

/** The same for two names that a file system, or a reader, may take for one. */
export const nameKey = (name: string): string => name.normalize('NFKC').toLowerCase()
