import * as z from 'zod'
import { modelRefSchema } from './model.ts'

export const annotateModes = ['preview', 'full', 'none'] as const

/** What is done to an image. Everything that changes the answer is in here, so its digest names the work. */
export const facesPipelineSchema = z.object({
  kind: z.literal('faces'),
  detector: z.object({
    model: modelRefSchema,
    /** Lowest score of a face, 0..1. */
    scoreThreshold: z.number().min(0).max(1),
    /** Highest IoU of two faces. */
    nmsThreshold: z.number().min(0).max(1),
  }),
  /** With an embedder every face carries an L2-normalised embedding. */
  embedder: z.object({ model: modelRefSchema }).optional(),
  /** Looks at the image turned as well where it shows no good face as it is: photos that lie on their side. */
  tryRotations: z.boolean().optional(),
  /** preview: long edge at most 2048; full: the original's size; none: no picture comes back. */
  annotate: z.enum(annotateModes),
  /** Largest image accepted, width × height. */
  maxPixels: z.number().int().positive(),
})

export const pipelineSchema = z.discriminatedUnion('kind', [facesPipelineSchema])
export type Pipeline = z.infer<typeof pipelineSchema>
