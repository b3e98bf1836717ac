// npm run test:fault: every row of test/fault/table.ts, and what goes with it. CPN_FAULT_ROWS chooses rows by a pattern.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const rows = process.env.CPN_FAULT_ROWS ?? '.'
const { status } = spawnSync(process.execPath, [join(root, 'scripts', 'test.mjs'), 'test/fault'], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, CPN_FAULT_ROWS: rows, CPN_TEST_FILE_TIMEOUT_MS: String(60 * 60_000) },
})
process.exitCode = status ?? 1
