// Verification accuracy on all pairs of LFW that the shared test data has: node test/accuracy/lfw.ts
import { model } from '../helpers/faces.ts'
import { lfwPairs, verify } from '../helpers/lfw.ts'
import { sharedMissing } from '../helpers/shared.ts'

if (sharedMissing) throw new Error(sharedMissing)
const embedder = 'mobilefacenet-112'
const threshold = model(embedder).thresholds.verification!
const result = await verify(lfwPairs(), embedder, threshold)
console.log(JSON.stringify({ embedder, threshold, ...result }, null, 2))
