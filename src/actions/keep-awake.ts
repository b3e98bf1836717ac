import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Programs that keep the machine awake while the program they start runs, by platform. */
const inhibitors: Partial<Record<NodeJS.Platform, [program: string, ...args: string[]]>> = {
  linux: ['systemd-inhibit', '--what=sleep:idle', '--who=cpn', '--mode=block'],
  darwin: ['caffeinate', '-is'],
}

/**
 * Keeps this machine from going to sleep until it is disposed; where nothing can do that, it does nothing.
 * @param why shown by `systemd-inhibit --list`
 */
export function keepAwake(why: string): AsyncDisposable {
  const [program, ...args] = inhibitors[process.platform] ?? []
  if (!program) return { [Symbol.asyncDispose]: async () => {} }
  const reason = process.platform === 'linux' ? [`--why=${why}`] : []
  // cat ends with its input: when we are done, and when we die. A group of its own keeps it from the terminal's Ctrl-C.
  const child = spawn(program, [...args, ...reason, 'cat'], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  const ended = once(child, 'exit').catch(() => {})
  child.stdin.on('error', () => {})
  return {
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      await ended
    },
  }
}
