import { type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'

/** Programs that keep the machine awake while the program they start runs, by platform. */
const inhibitors: Partial<Record<NodeJS.Platform, [program: string, ...args: string[]]>> = {
  linux: ['systemd-inhibit', '--what=sleep:idle', '--who=cpn', '--mode=block'],
  darwin: ['caffeinate', '-is'],
}

/** Runs that are over by then are not worth a process. */
const afterMs = 1000

/**
 * Keeps this machine from going to sleep until it is disposed; where nothing can do that, it does nothing.
 * @param why shown by `systemd-inhibit --list`
 */
export function keepAwake(why: string): AsyncDisposable {
  const [program, ...args] = inhibitors[process.platform] ?? []
  let end = async (): Promise<void> => {}
  const begin = (): void => {
    const reason = process.platform === 'linux' ? [`--why=${why}`] : []
    // cat ends with its input: when we are done, and when we die. A group of its own keeps it from the terminal's Ctrl-C.
    const options: SpawnOptions = { stdio: ['pipe', 'ignore', 'ignore'], detached: true }
    const inhibitor = spawn(program!, [...args, ...reason, 'cat'], options)
    const stdin = inhibitor.stdin!.on('error', () => {})
    const ended = once(inhibitor, 'exit').catch(() => {})
    end = async () => {
      stdin.end()
      await ended
    }
  }
  const timer = program ? setTimeout(begin, afterMs) : undefined
  return {
    async [Symbol.asyncDispose]() {
      clearTimeout(timer)
      await end()
    },
  }
}
