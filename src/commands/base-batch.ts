import { Flags } from '@oclif/core'

/** Flags of commands that go through many hosts and stop where too many fail. */
export const batchFlags = {
  batch: Flags.integer({ min: 1, helpValue: 'N', description: 'Finish N hosts before the next N begin.' }),
  'max-fail': Flags.integer({
    min: 0,
    helpValue: 'K',
    description: 'Begin no further host once more than K have failed; default 0 with --batch, else no limit.',
  }),
}

/** Hosts that may fail before no further one is begun. */
export function failuresAllowed(flags: { batch?: number | undefined; 'max-fail'?: number | undefined }): number {
  return flags['max-fail'] ?? (flags.batch === undefined ? Number.POSITIVE_INFINITY : 0)
}
