import type { FamilyName } from '../../protocol/model.ts'
import { arcface } from './arcface.ts'
import { classifier } from './classifier.ts'
import type { Family } from './family.ts'
import { ultraface } from './ultraface.ts'
import { yolox } from './yolox.ts'
import { yunet } from './yunet.ts'

/** Every family the agent implements. */
export const families: Record<FamilyName, Family> = { yunet, ultraface, arcface, yolox, classifier }
