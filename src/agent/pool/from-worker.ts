import * as z from 'zod'
import type { FromWorker } from '../worker-messages.ts'

/** What is taken from a worker: an image may have taken it over. Beside the pool, for workers need no part of it. */
export const fromWorkerSchema: z.ZodType<FromWorker> = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), executionProviders: z.array(z.string()) }),
  z.object({
    type: z.literal('done'),
    /** sha256 in base64: it becomes part of a header. */
    digest: z.string().regex(/^[A-Za-z0-9+/]{43}=$/),
    jsonBytes: z.number().int().nonnegative(),
  }),
  z.object({
    type: z.literal('failed'),
    error: z.object({
      code: z.string(),
      message: z.string(),
      retryable: z.boolean(),
      suggestions: z.array(z.string()),
    }),
  }),
])
