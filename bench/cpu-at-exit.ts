// Loaded with --import: writes the processor time of the whole process, all threads, to $CPN_BENCH_CPU when it ends.
import { writeFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

const file = process.env.CPN_BENCH_CPU
if (file && isMainThread) {
  process.on('exit', () => {
    const { user, system } = process.cpuUsage()
    writeFileSync(file, String((user + system) / 1000))
  })
}
