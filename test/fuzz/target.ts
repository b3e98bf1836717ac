import { CpnError } from '../../src/common/errors.ts'

/** Something that reads what others have written. */
export interface Target extends AsyncDisposable {
  /** Gives it one damaged thing. Resolves with the verdict, 'taken' or an error's code; rejects when there is none. */
  one(random: () => number): Promise<string>
  /** Rejects when what reads has died, or takes more memory than it may. */
  check?(): Promise<void>
  /** How many are given to it at once; default 1. */
  atOnce?: number
}

/** The verdict of a reader that is ours: 'taken', or the code of its typed error. What is a bug rejects. */
export async function verdictOf(read: () => unknown): Promise<string> {
  try {
    await read()
    return 'taken'
  } catch (error) {
    if (error instanceof CpnError && error.code !== 'CPN_ERR_BUG') return error.code
    throw error
  }
}
