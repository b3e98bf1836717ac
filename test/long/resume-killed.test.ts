import { test } from 'node:test'
import { killAndResume } from '../helpers/killed-master.ts'
import { leakFree } from '../helpers/leaks.ts'
import { sshdMissing } from '../helpers/sshd.ts'

test(
  'a master that is killed at 50 random moments and resumed writes what an undisturbed one writes',
  { skip: sshdMissing, timeout: 1_800_000 },
  leakFree(() => killAndResume(['node1', 'node2'], 600, 50)),
)
