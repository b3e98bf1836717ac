import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { canonicalJson, sha256 } from '../common/digest.ts'
import { CpnError, systemErrorCode } from '../common/errors.ts'
import { type LabelsRef, labelsRef } from '../protocol/labels.ts'
import type { ModelRef } from '../protocol/model.ts'
import type { Classifier, Detector, Embedder, Family, ObjectDetector } from './families/family.ts'
import { families } from './families/index.ts'
import { openSession, type Session } from './inference.ts'
import { labelsOnNode, modelsOnNode } from './models-on-node.ts'

type Runner = Detector | Embedder | ObjectDetector | Classifier

/** Loads models by digest when they are first wanted, and keeps them: those that have a manifest, and no other file. */
export class ModelLoader {
  readonly #modelsDir: string
  readonly #threads: number
  readonly #sessions = new Map<string, Promise<Session>>()
  readonly #runners = new Map<string, Promise<Runner>>()
  readonly #labels = new Map<string, Promise<string[]>>()

  /**
   * @param modelsDir folder of model files named by sha256
   * @param threads threads a model may use
   */
  constructor(modelsDir: string, threads: number) {
    this.#modelsDir = modelsDir
    this.#threads = threads
  }

  /** Rejects with CPN_ERR_MODEL_MISSING, CPN_ERR_MODEL_DIGEST or CPN_ERR_MODEL_INVALID. */
  async detector(model: ModelRef): Promise<Detector> {
    return (await this.#runner(model, 'detect-faces')) as Detector
  }

  /** Rejects with CPN_ERR_MODEL_MISSING, CPN_ERR_MODEL_DIGEST or CPN_ERR_MODEL_INVALID. */
  async embedder(model: ModelRef): Promise<Embedder> {
    return (await this.#runner(model, 'embed-faces')) as Embedder
  }

  /** Rejects with CPN_ERR_MODEL_MISSING, CPN_ERR_MODEL_DIGEST or CPN_ERR_MODEL_INVALID. */
  async objectDetector(model: ModelRef): Promise<ObjectDetector> {
    return (await this.#runner(model, 'detect-objects')) as ObjectDetector
  }

  /** Rejects with CPN_ERR_MODEL_MISSING, CPN_ERR_MODEL_DIGEST or CPN_ERR_MODEL_INVALID. */
  async classifier(model: ModelRef): Promise<Classifier> {
    return (await this.#runner(model, 'classify')) as Classifier
  }

  /** What a model's classes are called here. Rejects with CPN_ERR_MODEL_DIGEST when that is not what the master means. */
  labels({ name, sha256: digest }: ModelRef, wanted: LabelsRef): Promise<string[]> {
    return remember(this.#labels, canonicalJson([digest, wanted]), async () => {
      const labels = labelsOnNode(this.#modelsDir, digest)
      if (!labels || labelsRef(labels).sha256 !== wanted.sha256) throw otherLabels(name)
      return labels
    })
  }

  #runner(model: ModelRef, task: Family['task']): Promise<Runner> {
    const family = families[model.family]
    if (family.task !== task) throw wrongTask(model, task)
    return remember(this.#runners, canonicalJson(model), async () => {
      const session = await remember(this.#sessions, model.sha256, () => this.#open(model))
      family.check(session)
      return family.create(session, model)
    })
  }

  async #open({ name, sha256: digest }: ModelRef): Promise<Session> {
    if (!modelsOnNode(this.#modelsDir).some((model) => model.sha256 === digest)) throw notListed(name, digest)
    // From memory and not from the file: what runs is what was checked, and data in other files is out of reach.
    const bytes = await readFile(join(this.#modelsDir, digest)).catch((cause) => {
      throw missing(name, digest, cause)
    })
    if (sha256(bytes) !== digest) throw altered(name, digest)
    return openSession(bytes, this.#threads)
  }
}

/** The value under `key`, made at the first call; one that failed is made anew. */
function remember<T>(values: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const known = values.get(key)
  if (known) return known
  const value = make()
  values.set(key, value)
  value.catch(() => values.delete(key))
  return value
}

function notListed(name: string, digest: string): CpnError {
  const message = `the node has no model ${name} (sha256 ${digest}): no manifest names it`
  return new CpnError('CPN_ERR_MODEL_MISSING', message, {
    suggestions: ['Run `cpn provision` for this host.'],
  })
}

function missing(name: string, digest: string, cause: unknown): CpnError {
  const reason = systemErrorCode(cause) ?? 'it cannot be read'
  return new CpnError('CPN_ERR_MODEL_MISSING', `the node has no model ${name} (sha256 ${digest}): ${reason}`, {
    cause,
    suggestions: ['Run `cpn provision` for this host.'],
  })
}

function altered(name: string, digest: string): CpnError {
  return new CpnError('CPN_ERR_MODEL_DIGEST', `the node's file of model ${name} is not the one of sha256 ${digest}`, {
    suggestions: ['Run `cpn provision` for this host: it replaces files that changed.'],
  })
}

function otherLabels(name: string): CpnError {
  return new CpnError('CPN_ERR_MODEL_DIGEST', `the node has other labels for model ${name}, or none`, {
    suggestions: ['Run `cpn provision` for this host: it sends manifests that changed.'],
  })
}

function wrongTask({ name, family }: ModelRef, task: string): CpnError {
  return new CpnError('CPN_ERR_MODEL_INVALID', `model ${name} of family ${family} does not ${task.replace('-', ' ')}`, {
    suggestions: ['Choose a model that is made for this task.'],
  })
}
