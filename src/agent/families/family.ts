import type { FamilySignature } from '../../protocol/families.ts'
import type { FoundClass, FoundObject } from '../../protocol/messages.ts'
import type { FamilyName, ModelRef } from '../../protocol/model.ts'
import type { Session } from '../inference.ts'
import type { Detection } from '../vision/detection.ts'
import type { Raster } from '../vision/raster.ts'

export interface DetectOptions {
  /** Lowest score of a face, 0..1. */
  scoreThreshold: number
  /** Highest IoU of two faces. */
  nmsThreshold: number
  /** Long edge of the input where the model leaves its size open: a multiple of 32 up to 640, which is the default. */
  inputEdge?: number
}

export interface Detector {
  /** Whether the model takes inputs of any size, so that looks from nearer and farther can be had of it. */
  readonly anySize: boolean
  /**
   * Faces by falling score, in pixels of the raster; boxes may reach over its edges.
   * @param raster RGB of any size; it is not changed
   */
  detect(raster: Raster, options: DetectOptions): Promise<Detection[]>
}

export interface Embedder {
  /** L2-normalised vector of 128 for a face on an aligned RGB crop of 112×112. */
  embed(crop: Raster): Promise<Float32Array>
}

export interface ObjectDetector {
  /**
   * Objects by falling score, in pixels of the raster; boxes may reach over its edges.
   * @param raster RGB of any size; it is not changed
   */
  detect(raster: Raster, options: Pick<DetectOptions, 'scoreThreshold' | 'nmsThreshold'>): Promise<FoundObject[]>
}

export interface Classifier {
  /**
   * The likeliest classes by falling probability.
   * @param raster RGB of any size; it is not changed
   * @param top how many at most
   */
  classify(raster: Raster, top: number): Promise<FoundClass[]>
}

/** A kind of network: how its input is made and what its output means. One file each, listed in index.ts. */
interface FamilyOf<Task extends FamilySignature['task'], Runner> {
  readonly name: FamilyName
  readonly task: Task
  /** Throws CPN_ERR_MODEL_INVALID when the session's inputs or outputs are none of this family. Does not run it. */
  check(session: Session): void
  /** Takes a session that passed check(). The runner is used by one caller at a time. */
  create(session: Session, model: ModelRef): Runner
}

export type DetectorFamily = FamilyOf<'detect-faces', Detector>
export type EmbedderFamily = FamilyOf<'embed-faces', Embedder>
export type ObjectDetectorFamily = FamilyOf<'detect-objects', ObjectDetector>
export type ClassifierFamily = FamilyOf<'classify', Classifier>
export type Family = DetectorFamily | EmbedderFamily | ObjectDetectorFamily | ClassifierFamily
