import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ModelLoader } from '../../src/agent/model-loader.ts'
import { type PipelineResult, predictFaces } from '../../src/agent/pipelines/faces.ts'
import { LabelPainter } from '../../src/agent/vision/label-painter.ts'
import { Scratch } from '../../src/agent/vision/scratch.ts'
import { catalogue } from '../../src/models/catalogue/index.ts'
import { embeddedFile, isEmbedded } from '../../src/models/embedded.ts'
import type { ModelManifest } from '../../src/protocol/model.ts'
import type { FacesPipeline } from '../../src/protocol/pipeline.ts'
import { onExit } from './exit-cleanup.ts'
import { fontsFolder } from './fonts.ts'
import { shared, sharedMissing } from './shared.ts'
import {
  tinyClassifier,
  tinyClassifierManifest,
  tinyObjectDetector,
  tinyObjectsManifest,
} from './tiny-labelled-models.ts'
import { tinyDetector, tinyManifest } from './tiny-model.ts'

/** Files of the shared models by their names in the catalogue. */
const files: Record<string, string> = {
  'yunet-2023mar': 'yunet-2023mar.onnx',
  'yunet-s-dynamic': 'yunet-s-dynamic.onnx',
  'ultraface-320': 'ultraface-rfb-320.onnx',
  'mobilefacenet-112': 'mobilefacenet-foamliu-112.onnx',
  'yolox-nano-416': 'yolox-nano-416.onnx',
  'mobilenetv2-int8': 'mobilenetv2-int8-static.onnx',
}

let folder: string | undefined

/** A folder as on a node, with the tests' own models, those that come with cpn and, where they are there, the shared ones; removed at exit. */
export function modelsFolder(): string {
  if (folder !== undefined) return folder
  const made = mkdtempSync(join(tmpdir(), 'cpn-models-'))
  onExit(() => rmSync(made, { recursive: true, force: true }))
  for (const [bytes, manifest] of tinyModels()) {
    writeFileSync(join(made, manifest.sha256), bytes)
    writeManifest(made, manifest)
  }
  for (const manifest of catalogue().filter(isEmbedded)) {
    symlinkSync(embeddedFile(manifest), join(made, manifest.sha256))
    writeManifest(made, manifest)
  }
  if (!sharedMissing) {
    for (const [name, file] of Object.entries(files)) {
      symlinkSync(shared('models', file), join(made, model(name).sha256))
      writeManifest(made, model(name))
    }
  }
  folder = made
  return made
}

/** Puts a model on the list of those that may be loaded from a folder. */
export function writeManifest(folder: string, manifest: ModelManifest): void {
  writeFileSync(join(folder, `${manifest.sha256}.json`), JSON.stringify(manifest))
}

function tinyModels(): [Buffer, ModelManifest][] {
  return [
    [tinyDetector(), tinyManifest()],
    [tinyObjectDetector(), tinyObjectsManifest()],
    [tinyClassifier(), tinyClassifierManifest()],
  ]
}

/** A model of the catalogue, or one of the tests' own. */
export function model(name: string): ModelManifest {
  const found = [...catalogue(), ...tinyModels().map(([, manifest]) => manifest)].find(
    (manifest) => manifest.name === name,
  )
  if (!found) throw new Error(`no model ${name}`)
  return found
}

export interface FacesOptions {
  embedder?: string
  annotate?: FacesPipeline['annotate']
  scoreThreshold?: number
  maxPixels?: number
  tryRotations?: boolean
}

/** A pipeline with the thresholds of the detector's manifest. */
export function facesPipeline(detector: string, options: FacesOptions = {}): FacesPipeline {
  const { embedder, annotate = 'none', maxPixels = 100_000_000, tryRotations } = options
  const manifest = model(detector)
  const scoreThreshold = options.scoreThreshold ?? manifest.thresholds.score!
  return {
    kind: 'faces',
    detector: { model: manifest, scoreThreshold, nmsThreshold: manifest.thresholds.nms! },
    ...(embedder === undefined ? {} : { embedder: { model: model(embedder) } }),
    ...(tryRotations === undefined ? {} : { tryRotations }),
    annotate,
    maxPixels,
  }
}

let loader: ModelLoader | undefined

/** Runs a pipeline in this process. */
export async function runFaces(bytes: Uint8Array, pipeline: FacesPipeline): Promise<PipelineResult> {
  loader ??= new ModelLoader(modelsFolder(), 1)
  return predictFaces(bytes, pipeline, {
    detector: await loader.detector(pipeline.detector.model),
    embedder: pipeline.embedder && (await loader.embedder(pipeline.embedder.model)),
    painter: new LabelPainter(fontsFolder()),
    scratch: new Scratch(),
  })
}
