import { signalProcess, type TestProcess } from './processes.ts'
import type { SshdHost } from './sshd.ts'

const periodMs = 200
/** Workers come and go. */
const lookAgainMs = 1000

/**
 * Lets workers run for only a part of the time, so that few pictures are work that lasts and the machine's processors are
 * free for what goes on meanwhile. Disposing lets them all run.
 * @param find the living workers, asked once a second
 * @param share of the time, 0..1
 */
export function slowWorkers(find: () => TestProcess[], share = 0.25): Disposable {
  let workers = find()
  let running = true
  const signal = (name: 'SIGSTOP' | 'SIGCONT') => {
    for (const { pid } of workers) signalProcess(pid, name)
  }
  const turn = () => {
    running = !running
    signal(running ? 'SIGCONT' : 'SIGSTOP')
    timer = setTimeout(turn, running ? share * periodMs : (1 - share) * periodMs)
  }
  let timer = setTimeout(turn, 0)
  const looking = setInterval(() => {
    const found = find()
    // One that is no longer found may be there all the same, and stopped.
    signal('SIGCONT')
    workers = found
    if (!running) signal('SIGSTOP')
  }, lookAgainMs)
  return {
    [Symbol.dispose]: () => {
      clearTimeout(timer)
      clearInterval(looking)
      signal('SIGCONT')
    },
  }
}

export const workersOn = (host: SshdHost): TestProcess[] =>
  host.processes().filter(({ command }) => command.includes('worker.mjs'))
