/** Asks for a secret at the terminal, which shows nothing of it. */
import { Transform } from 'node:stream'
import password from '@inquirer/password'
import type { Context } from '../context.ts'

/** Has the terminal mark what is pasted: a line end in it would end the prompt, and the rest would go to the shell. */
const MARK_PASTES = '\u001b[?2004h'
const UNMARKED = '\u001b[?2004l'
const PASTE_BEGINS = '\u001b[200~'
const PASTE_ENDS = '\u001b[201~'

/** What is typed as it is, what is pasted in one line: blanks for line ends, which no form of a secret depends on. */
export class PasteFilter extends Transform {
  #isPasting = false
  /** The end of the last chunk, if a mark may begin there. */
  #rest = ''

  override _transform(chunk: Buffer | string, _encoding: string, done: (error: null, text: string) => void): void {
    const text = this.#rest + chunk.toString()
    const at = text.lastIndexOf('\u001b[')
    const isCut = at !== -1 && text.length - at < PASTE_BEGINS.length && /^\[[\d~]*$/.test(text.slice(at + 1))
    this.#rest = isCut ? text.slice(at) : ''
    const whole = isCut ? text.slice(0, at) : text
    const parts = whole.split(new RegExp(`(${escaped(PASTE_BEGINS)}|${escaped(PASTE_ENDS)})`))
    const shown = parts.map((part) => {
      if (part === PASTE_BEGINS || part === PASTE_ENDS) {
        this.#isPasting = part === PASTE_BEGINS
        return ''
      }
      return this.#isPasting ? part.replace(/[\r\n\t]+/g, ' ') : part
    })
    done(null, shown.join(''))
  }
}

function escaped(mark: string): string {
  return mark.replace('[', '\\[')
}

/** Undefined when the prompt was left with Ctrl-C. */
export async function promptForSecret(message: string, { stdin, stderr }: Context): Promise<string | undefined> {
  const input = new PasteFilter()
  const setRawMode = (isRaw: boolean): void => {
    if ('setRawMode' in stdin && typeof stdin.setRawMode === 'function') stdin.setRawMode(isRaw)
  }
  stdin.pipe(input)
  stderr.write(MARK_PASTES)
  try {
    return await password({ message, mask: false }, { input: Object.assign(input, { setRawMode }), output: stderr })
  } catch (error) {
    if (error instanceof Error && error.name === 'ExitPromptError') return undefined
    throw error
  } finally {
    stdin.unpipe(input)
    stdin.pause()
    setRawMode(false)
    stderr.write(UNMARKED)
  }
}
