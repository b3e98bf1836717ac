// Loaded into every test process: ends a file that takes too long, or that is done but held open by what it forgot.
import { after } from 'node:test'

const fileTimeoutMs = Number(process.env.CPN_TEST_FILE_TIMEOUT_MS ?? 8 * 60_000)
// Also for what the file's own hooks do: on a busy machine that takes its time.
const afterTestsMs = 30_000

if (process.env.NODE_TEST_CONTEXT?.startsWith('child')) {
  endAfter(fileTimeoutMs, `takes longer than ${fileTimeoutMs / 1000} s`)
  after(() => endAfter(afterTestsMs, 'is done, but something it left open keeps the process running'))
}

function endAfter(ms, what) {
  setTimeout(() => {
    const open = process.getActiveResourcesInfo().join(', ')
    process.stderr.write(`${process.argv[1]} ${what}. Open: ${open}\n`)
    process.exit(1)
  }, ms).unref()
}
