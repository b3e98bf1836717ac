import type { Phase } from '../phase.ts'
import { check } from './check.ts'
import { compare } from './compare.ts'
import { configure } from './configure.ts'
import { connect } from './connect.ts'
import { gatherFacts } from './gather-facts.ts'
import { lock } from './lock.ts'
import { lockKey } from './lock-key.ts'
import { pruneOld } from './prune-old.ts'
import { requirements } from './requirements.ts'
import { start } from './start.ts'
import { switchRelease } from './switch.ts'
import { uploadModels } from './upload-models.ts'
import { uploadRelease } from './upload-release.ts'
import { verify } from './verify.ts'

/** What only looks: a dry run ends here. */
export const lookingPhases: readonly Phase[] = [connect, gatherFacts, check, compare]

/** From a bare host to a ready node. */
export const provisionPhases: readonly Phase[] = [
  ...lookingPhases,
  lock,
  requirements,
  uploadRelease,
  uploadModels,
  configure,
  switchRelease,
  start,
  verify,
  pruneOld,
  lockKey,
]
