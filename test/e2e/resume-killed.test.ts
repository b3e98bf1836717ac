import { test } from 'node:test'
import { killAndResume } from '../helpers/killed-master.ts'
import { leakFree } from '../helpers/leaks.ts'
import { sshdMissing } from '../helpers/sshd.ts'

test(
  'a master that is killed at any moment and resumed writes what an undisturbed one writes',
  { skip: sshdMissing, timeout: 240_000 },
  leakFree(() => killAndResume(['node1'], 60, 5)),
)
