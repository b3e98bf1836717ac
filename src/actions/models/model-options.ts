import type { ModelRef } from '../../protocol/model.ts'
import type { Pipeline } from '../../protocol/pipeline.ts'
import type { PipelineOptions } from './resolve-pipeline.ts'

/** What has to be asked for to get a pipeline's models and thresholds again, whatever their defaults are by then. */
export function modelOptions(
  pipeline: Pipeline,
): Pick<PipelineOptions, 'detector' | 'classifier' | 'scoreThreshold' | 'top'> {
  switch (pipeline.kind) {
    case 'faces':
    case 'objects':
      return { detector: fullName(pipeline.detector.model), scoreThreshold: pipeline.detector.scoreThreshold }
    case 'classify':
      return { classifier: fullName(pipeline.classifier.model), top: pipeline.classifier.top }
    case 'draw':
      return {}
  }
}

const fullName = ({ name, version }: ModelRef) => `${name}@${version}`
