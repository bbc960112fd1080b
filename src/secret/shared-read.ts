/** One reading at a time, shared by all callers meanwhile; after a failure the next call reads again. */
import { currentInvocation, type Invocation } from '../lambda/deadline.ts'

export class SharedRead<Value> {
  readonly #read: () => Promise<Value>
  #underWay: { readonly value: Promise<Value>; readonly invocation: Invocation | undefined } | undefined

  constructor(read: () => Promise<Value>) {
    this.#read = read
  }

  /** True while a reading of another invocation is under way. */
  get isOfOtherInvocation(): boolean {
    return this.#underWay !== undefined && this.#underWay.invocation !== currentInvocation()
  }

  run(): Promise<Value> {
    if (this.#underWay !== undefined) return this.#underWay.value
    const value = this.#read().finally(() => {
      this.#underWay = undefined
    })
    this.#underWay = { value, invocation: currentInvocation() }
    return value
  }
}
