import * as z from 'zod'
import { labelsSchema } from './labels.ts'

/** Model families the agent implements; one file each in agent/families. */
export const familyNames = ['yunet', 'ultraface', 'arcface', 'yolox', 'classifier'] as const
export type FamilyName = (typeof familyNames)[number]

export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/)
export const modelNameSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9.-]*$/)
  .max(64)

/** How pixels become the input tensor: `(value - mean) / std`, per channel in `channels` order; values 0..255. */
export const preprocessSchema = z.object({
  channels: z.enum(['RGB', 'BGR']),
  mean: z.array(z.number()).length(3),
  std: z.array(z.number().positive()).length(3),
  /** Value of every channel around a picture that does not fill the input; default 0. */
  pad: z.number().min(0).max(255).optional(),
  /** Classifiers: edge of the square in the middle that is looked at, as a share of the shorter edge; default 0.875. */
  crop: z.number().positive().max(1).optional(),
})
export type Preprocess = z.infer<typeof preprocessSchema>

/** What the agent needs to know of a model to run it. `sha256` names the file on the node. */
export const modelRefSchema = z.object({
  name: modelNameSchema,
  version: z.string(),
  family: z.enum(familyNames),
  sha256: sha256Schema,
  preprocess: preprocessSchema,
})
export type ModelRef = z.infer<typeof modelRefSchema>

/** A model as the catalogue and the store describe it. */
export const modelManifestSchema = modelRefSchema.extend({
  /** What it is for, in one line. */
  description: z.string(),
  task: z.enum(['detect-faces', 'embed-faces', 'detect-objects', 'classify']),
  bytes: z.number().int().positive(),
  licence: z.string(),
  /** Addresses of the same bytes, tried in order; empty for a model added by hand. */
  urls: z.array(z.url()),
  /** Names of its classes in the order of its output, for models that tell classes apart. */
  labels: labelsSchema.optional(),
  thresholds: z.object({
    /** Detectors: lowest score of a face or an object, 0..1. */
    score: z.number().optional(),
    /** Detectors: highest overlap (IoU) of two faces, or of two objects of a class. */
    nms: z.number().optional(),
    /** Embedders: lowest cosine similarity of the same person in a 1:1 comparison. */
    verification: z.number().optional(),
    /** Embedders: lowest cosine similarity that names a person out of many. */
    identification: z.number().optional(),
    /** Embedders: least distance of the most similar person to the second. */
    margin: z.number().optional(),
  }),
})
export type ModelManifest = z.infer<typeof modelManifestSchema>
