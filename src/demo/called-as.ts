import { realpathSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { quote } from '../transport/shell.ts'

/**
 * What a person types to run this cpn: its name where PATH leads to it, else its file. npm's own folders in PATH are not there for
 * the person.
 * @param file program of cpn
 * @param path as $PATH
 */
export function calledAs(file: string, path: string): string {
  const folders = path.split(delimiter).filter((folder) => !folder.endsWith('node_modules/.bin'))
  const found = folders.map((folder) => realPath(join(folder, 'cpn'))).find((each) => each !== undefined)
  return found !== undefined && found === realPath(file) ? 'cpn' : quote(file)
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}
