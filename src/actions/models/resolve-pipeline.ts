import type { Context } from '../../common/context.ts'
import { CpnError } from '../../common/errors.ts'
import type { StatePaths } from '../../inventory/state.ts'
import { PipelineStore } from '../../models/pipeline-store.ts'
import { labelOf, looksForPersons, type PinnedModel, type PipelineVersion } from '../../models/pipeline-version.ts'
import { type InstalledModel, type ModelStore, openModelStore } from '../../models/store.ts'
import { type ModelManifest, type ModelRef, modelRefSchema } from '../../protocol/model.ts'
import type { FacesPipeline, Pipeline } from '../../protocol/pipeline.ts'
import { ensureModels } from './models.ts'
import { resolveLabelled } from './resolve-labels.ts'

/**
 * What can be asked for: `persons` is `faces` with embeddings, by which faces get names; `persons-lite` is that with models that
 * come with cpn.
 */
export const askedPipelines = ['persons', 'persons-lite', 'faces', 'objects', 'classify'] as const
export type AskedPipelineName = (typeof askedPipelines)[number]

export interface PipelineOptions {
  /** Whose version in use says which models do the work. */
  pipelineName: AskedPipelineName
  /** Nobody asked for it by name: persons-lite may do the work of persons. Default false. */
  mayBeLite?: boolean
  /** Model that finds faces or objects, `name` or `name@version`, in the place of the pipeline's. */
  detector?: string | undefined
  /** Model of the pipeline `classify`, `name` or `name@version`. */
  classifier?: string | undefined
  /** Lowest score of a face or an object; default from the version or the model's manifest. */
  scoreThreshold?: number | undefined
  /** Labels that `classify` tells per picture. */
  top?: number | undefined
  /** Lowest similarity that names a person; default from the embedder's manifest. */
  threshold?: number | undefined
  /** Small copies come back as well; default: where persons are looked for. */
  thumbnails?: boolean
  /** Tells the embedding of every face. */
  embeddings: boolean
  /** Looks for faces on turned photos, too. */
  tryRotations?: boolean
  annotate: Pipeline['annotate']
  /** Largest image accepted, width × height. */
  maxPixels: number
  /** The pipeline of a run that goes on: it stays what it was, whatever version is in use by now. */
  begun?: Pipeline
  /** The embedder's as they were for that run. */
  thresholds?: ModelManifest['thresholds']
}

export interface ResolvedPipeline<Kind extends Pipeline = Pipeline> {
  pipeline: Kind
  models: InstalledModel[]
  /** Of the model that embeds faces, with the version's thresholds. */
  embedder: ModelManifest | undefined
  /** Of the model, where nodes answer with classes. */
  labels?: readonly string[]
  /** Nodes that take no part with these models, by name, and why. */
  without: Readonly<Record<string, CpnError>>
}

/** Where models and versions of pipelines are. */
export interface Stores {
  models: ModelStore
  pipelines: PipelineStore
}

export function openStores({ modelsDir, pipelinesDir }: StatePaths, { logger }: Pick<Context, 'logger'>): Stores {
  return { models: openModelStore({ dir: modelsDir, logger }), pipelines: new PipelineStore(pipelinesDir) }
}

/** The pipeline that the options describe, with its models in the store: what is missing is pulled after asking. */
export async function resolvePipeline(
  stores: Stores,
  options: PipelineOptions,
  ctx: Context,
): Promise<ResolvedPipeline> {
  const { pipelineName, detector, begun } = options
  if (pipelineName === 'objects' || pipelineName === 'classify') return resolveLabelled(stores.models, options, ctx)
  if (begun?.kind === 'faces') return begunPipeline(stores.models, begun, options.thresholds ?? {}, ctx)
  const version = await stores.pipelines.active(pipelineName)
  const resolved = await pipelineOf(stores.models, version, options, ctx)
  if (detector !== undefined) return resolved
  const without = Object.entries((await stores.pipelines.history(pipelineName)).at(-1)?.without ?? {})
  return {
    ...resolved,
    without: Object.fromEntries(without.map(([name, reason]) => [name, leftOut(name, labelOf(version), reason)])),
  }
}

/** As resolvePipeline, with a certain version. */
export async function pipelineOf(
  store: ModelStore,
  version: PipelineVersion,
  options: Omit<PipelineOptions, 'pipelineName' | 'mayBeLite' | 'begun' | 'thresholds'>,
  ctx: Context,
): Promise<ResolvedPipeline<FacesPipeline>> {
  const persons = looksForPersons(version.name)
  const wanted = [options.detector ?? version.detector, ...(persons || options.embeddings ? [version.embedder] : [])]
  const models = await pinnedModels(store, wanted, ctx)
  const [detector, embedder] = models.map(({ manifest }) => manifest)
  if (detector?.task !== 'detect-faces') throw notADetector(options.detector ?? labelOf(version.detector))
  // What a version says of thresholds was chosen for its own detector.
  const said = options.detector === undefined ? version.thresholds : {}
  return {
    models,
    embedder: embedder && withThresholds(embedder, version.thresholds),
    without: {},
    pipeline: {
      kind: 'faces',
      detector: {
        model: reference(detector),
        scoreThreshold: options.scoreThreshold ?? said.score ?? detector.thresholds.score ?? 0.6,
        nmsThreshold: said.nms ?? detector.thresholds.nms ?? 0.3,
      },
      ...(embedder ? { embedder: { model: reference(embedder) } } : {}),
      ...(options.tryRotations ? { tryRotations: true } : {}),
      annotate: options.annotate,
      ...((options.thumbnails ?? persons) ? { thumbnails: true } : {}),
      maxPixels: options.maxPixels,
    },
  }
}

const withThresholds = (manifest: ModelManifest, said: PipelineVersion['thresholds']): ModelManifest => ({
  ...manifest,
  thresholds: { ...manifest.thresholds, ...said },
})

async function begunPipeline(
  store: ModelStore,
  pipeline: FacesPipeline,
  thresholds: PipelineVersion['thresholds'],
  ctx: Context,
): Promise<ResolvedPipeline> {
  const { detector, embedder } = pipeline
  const wanted = [detector.model, ...(embedder ? [embedder.model] : [])]
  const models = await pinnedModels(store, wanted, ctx)
  return { pipeline, models, embedder: embedder && withThresholds(models[1]!.manifest, thresholds), without: {} }
}

/**
 * Models by name or pinned to their bytes, pulled where they are missing. Rejects as ensureModels does, and with
 * CPN_ERR_MODEL_DIGEST where a name means other bytes than it did.
 */
export async function pinnedModels(
  store: ModelStore,
  wanted: readonly (string | PinnedModel)[],
  ctx: Context,
): Promise<InstalledModel[]> {
  const names = wanted.map((each) => (typeof each === 'string' ? each : labelOf(each)))
  const models = await ensureModels(store, names, ctx)
  for (const [index, each] of wanted.entries()) {
    const { manifest } = models[index]!
    if (typeof each !== 'string' && each.sha256 !== manifest.sha256) throw otherBytes(each, manifest)
  }
  return models
}

/** What travels with every job: just what the agent needs. */
const reference = (manifest: ModelManifest): ModelRef => modelRefSchema.parse(manifest)

function leftOut(host: string, version: string, reason: string): CpnError {
  return new CpnError('CPN_ERR_GOLDEN', `it is left out with ${version}: ${reason}`, {
    host,
    suggestions: [`Look for what is wrong with it, then push to it again: cpn models push ${version} --hosts ${host}`],
  })
}

function notADetector(name: string): CpnError {
  return new CpnError('CPN_ERR_MODEL_INVALID', `${name} does not detect faces`, {
    suggestions: ['Choose a model of the task detect-faces: cpn models list'],
  })
}

function otherBytes(wanted: PinnedModel, { sha256 }: ModelManifest): CpnError {
  const message = `${labelOf(wanted)} is to have the sha256 ${wanted.sha256}, and the one that is here has ${sha256}`
  return new CpnError('CPN_ERR_MODEL_DIGEST', message, {
    suggestions: [
      'Take in the right file under its name: cpn models add FILE --manifest FILE',
      'Or use another version: cpn models list',
    ],
  })
}
