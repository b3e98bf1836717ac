import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { copyName } from './copy-name.ts'
import type { FileIdentity, KnownInput, LedgerChange, NewInput } from './ledger.ts'

export interface RecogniseOptions {
  /** Absolute folder of the outputs. */
  out: string
  /** Whether a done input has a picture. */
  annotates: boolean
  /** Reads finished inputs again: their content decides, not their times. */
  verify: boolean
  /** Does failed and quarantined inputs anew. */
  retry: boolean
}

/** They are about the bytes of the image: another try ends alike. */
const verdicts = new Set(['CPN_ERR_IMAGE_UNSUPPORTED', 'CPN_ERR_IMAGE_DECODE', 'CPN_ERR_IMAGE_TOO_LARGE'])

/**
 * Compares a file with what the run knows of it from an earlier epoch.
 * @returns undefined when what is known still holds, else the change that has it looked at again
 */
export async function recognise(
  input: NewInput,
  known: KnownInput,
  options: RecogniseOptions,
): Promise<Extract<LedgerChange, { kind: 'again' }> | undefined> {
  const again = (forget: boolean) => ({ kind: 'again', seq: known.seq, input, forget }) as const
  if (known.state !== 'done' && (options.retry || !isFinal(known))) return again(true)
  if (known.state === 'done' && options.annotates && !(await hasPicture(known, options.out))) return again(true)
  if (options.verify || !isSameFile(input, known)) return again(false)
  return undefined
}

const isFinal = ({ state, error }: KnownInput) => state === 'quarantined' || verdicts.has(error?.code ?? '')

/** A file that somebody took away or cut off is not there. One that has to be drawn anew is left to who names faces. */
export async function hasPicture({ name, written }: Pick<KnownInput, 'name' | 'written'>, out: string) {
  if (written === null) return true
  const found = await stat(join(out, copyName(name))).catch(() => undefined)
  return found?.isFile() === true && found.size === written
}

function isSameFile(a: FileIdentity, b: FileIdentity): boolean {
  return a.bytes === b.bytes && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs && a.ino === b.ino
}
