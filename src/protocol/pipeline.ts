import * as z from 'zod'
import { labelsRefSchema } from './labels.ts'
import { modelRefSchema, sha256Schema } from './model.ts'

export const annotateModes = ['preview', 'full', 'none'] as const

const picture = {
  /** preview: long edge at most 2048; full: the original's size; none: no picture comes back. */
  annotate: z.enum(annotateModes),
  /** Largest image accepted, width × height. */
  maxPixels: z.number().int().positive(),
}

/** Finds faces, and embeds them. */
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
  ...picture,
  /** A small copy of the picture and one of each face come back as well. */
  thumbnails: z.boolean().optional(),
})
export type FacesPipeline = z.infer<typeof facesPipelineSchema>

/** Finds objects of the classes that a model knows. */
export const objectsPipelineSchema = z.object({
  kind: z.literal('objects'),
  detector: z.object({
    model: modelRefSchema,
    labels: labelsRefSchema,
    /** Lowest score of an object, 0..1. */
    scoreThreshold: z.number().min(0).max(1),
    /** Highest IoU of two objects of one class. */
    nmsThreshold: z.number().min(0).max(1),
  }),
  ...picture,
  /** A small copy of the picture comes back as well. */
  thumbnails: z.boolean().optional(),
})
export type ObjectsPipeline = z.infer<typeof objectsPipelineSchema>

/** Says what a picture as a whole shows. */
export const classifyPipelineSchema = z.object({
  kind: z.literal('classify'),
  classifier: z.object({
    model: modelRefSchema,
    labels: labelsRefSchema,
    /** The likeliest classes that are answered. */
    top: z.number().int().positive(),
  }),
  ...picture,
  /** A small copy of the picture comes back as well. */
  thumbnails: z.boolean().optional(),
})
export type ClassifyPipeline = z.infer<typeof classifyPipelineSchema>

/** Looks for nothing: the marks come with each job. */
export const drawPipelineSchema = z.object({ kind: z.literal('draw'), ...picture })
export type DrawPipeline = z.infer<typeof drawPipelineSchema>

/** What is done to an image. Everything that changes the answer is in here, so its digest names the work. */
export const pipelineSchema = z.discriminatedUnion('kind', [
  facesPipelineSchema,
  objectsPipelineSchema,
  classifyPipelineSchema,
  drawPipelineSchema,
])
export type Pipeline = z.infer<typeof pipelineSchema>

/**
 * How faces get names. Apart from the pipeline: what a node finds and embeds does not depend on it, only what it writes
 * on the picture.
 */
export const matchingSchema = z.object({
  /** Digest of the gallery's bytes; the node has to have it. */
  gallery: sha256Schema,
  /** Lowest cosine similarity that names a person. */
  threshold: z.number().min(-1).max(1),
  /** Least distance of the best person's similarity to the second's. */
  margin: z.number().min(0).max(1),
})
export type Matching = z.infer<typeof matchingSchema>
