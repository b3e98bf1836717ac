import * as z from 'zod'
import { modelNameSchema, sha256Schema } from '../protocol/model.ts'
import { liteDetector } from './catalogue/lite-detector.ts'
import { liteEmbedder } from './catalogue/lite-embedder.ts'
import { mobilefacenet112 } from './catalogue/mobilefacenet-112.ts'
import { yunetSDynamic } from './catalogue/yunet-s-dynamic.ts'

/** What can be done to images by a name whose models are versioned together. */
export const pipelineNames = ['faces', 'persons', 'persons-lite'] as const
export type PipelineName = (typeof pipelineNames)[number]

/** Whether faces get names. */
export const looksForPersons = (name: string): boolean => name === 'persons' || name === 'persons-lite'

/** A model by name and version, and by its bytes, so that a version of a pipeline means the same at any time. */
export const pinnedModelSchema = z.object({ name: modelNameSchema, version: z.string(), sha256: sha256Schema })
export type PinnedModel = z.infer<typeof pinnedModelSchema>

const thresholdSchema = z.number().min(0).max(1).optional()

/** The models that a pipeline uses together, under one version. What is said of thresholds goes before the models'. */
export const pipelineVersionSchema = z.object({
  name: z.enum(pipelineNames),
  version: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,31}$/),
  detector: pinnedModelSchema,
  embedder: pinnedModelSchema,
  thresholds: z.object({
    score: thresholdSchema,
    nms: thresholdSchema,
    verification: thresholdSchema,
    identification: thresholdSchema,
  }),
})
export type PipelineVersion = z.infer<typeof pipelineVersionSchema>

/** What every fleet begins with. */
export function firstVersions(): PipelineVersion[] {
  return pipelineNames.map((name) => {
    const models = name === 'persons-lite' ? [liteDetector, liteEmbedder] : [yunetSDynamic, mobilefacenet112]
    const [detector, embedder] = models.map((manifest) => pinnedModelSchema.parse(manifest))
    return { name, version: '1', detector: detector!, embedder: embedder!, thresholds: {} }
  })
}

/** persons@2, yunet-s-dynamic@1: what a version is called. */
export const labelOf = ({ name, version }: { name: string; version: string }): string => `${name}@${version}`

/** Older before newer: 2 before 10. */
export const byVersion = (a: { version: string }, b: { version: string }): number =>
  a.version.localeCompare(b.version, 'en', { numeric: true })
