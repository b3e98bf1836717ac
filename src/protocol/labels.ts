import * as z from 'zod'
import { canonicalJson, sha256 } from '../common/digest.ts'

/** A class's name as it is written into results and on pictures: a line of text. */
const labelSchema = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$/u, 'a label is one line without control characters')
export const labelsSchema = z.array(labelSchema).min(1).max(100_000)

/**
 * The labels of a model in a pipeline. They lie in the model's manifest, on master and nodes: jobs would grow by tens of
 * kilobytes with them. A node draws them; it answers with indices, and the master puts names to them.
 */
export const labelsRefSchema = z.object({
  count: z.number().int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
})
export type LabelsRef = z.infer<typeof labelsRefSchema>

export function labelsRef(labels: readonly string[]): LabelsRef {
  return { count: labels.length, sha256: sha256(canonicalJson(labels)) }
}
