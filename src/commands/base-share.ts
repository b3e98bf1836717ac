import { CpnError } from '../common/errors.ts'

/** A number from 0 to 1 given to a flag. Throws CPN_ERR_USAGE. */
export function parseShare(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (text.trim() !== '' && value >= 0 && value <= 1) return value
  throw new CpnError('CPN_ERR_USAGE', `--${flag} ${text} is not a number from 0 to 1`, {
    suggestions: [`Give for example: --${flag} 0.6`],
  })
}
