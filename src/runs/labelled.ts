import type { FoundClass, FoundObject, PredictAnswer } from '../protocol/messages.ts'

/** An object with what it is. */
export type LabelledObject = Omit<FoundObject, 'class'> & { label: string }

/** Something that a picture as a whole shows, with its probability. */
export type Label = Omit<FoundClass, 'class'> & { label: string }

export interface Labelled {
  /** By falling score; there where the run looked for objects. */
  objects?: LabelledObject[]
  /** By falling score; there where the run classified. */
  labels?: Label[]
}

/** Names in place of the indices that a node answers with. @param labels of the model that the pipeline has */
export function labelled({ objects, classes }: PredictAnswer, labels: readonly string[]): Labelled {
  const nameOf = (index: number) => labels[index]!
  return {
    ...(objects
      ? { objects: objects.map(({ class: index, ...object }) => ({ ...object, label: nameOf(index) })) }
      : {}),
    ...(classes ? { labels: classes.map(({ class: index, score }) => ({ label: nameOf(index), score })) } : {}),
  }
}
