// npm run test:fault: every row of test/fault/table.ts, and what goes with it; CPN_FAULT_ROWS chooses rows by a pattern.
// With arguments (--seed N --faults N --images N --nodes N): one run under random faults.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installTestTools } from './test-tools.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const args = process.argv.slice(2)
process.exitCode = args.length > 0 ? playRandom() : playTable()

function playTable() {
  const rows = process.env.CPN_FAULT_ROWS ?? '.'
  const env = { CPN_FAULT_ROWS: rows, CPN_TEST_FILE_TIMEOUT_MS: String(60 * 60_000) }
  return run([join(root, 'scripts', 'test.mjs'), 'test/fault'], env)
}

function playRandom() {
  installTestTools()
  const built = run([join(root, 'scripts', 'build.mjs')])
  return built === 0 ? run([join(root, 'test', 'fault', 'random.ts'), ...args], { ORT_DISABLE_TELEMETRY: '1' }) : built
}

function run(command, env = {}) {
  const options = { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } }
  return spawnSync(process.execPath, command, options).status ?? 1
}
